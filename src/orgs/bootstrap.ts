/** The first org of an installation: subscribed, with one key that has all rights; created at start if it is missing. Pure. */

import { hashOf } from '../model/ids.ts';
import type { OrgSetting } from '../model/records.ts';
import { RIGHTS } from './rights.ts';
import { EXTENSION, hashOfKey, type OrgTable } from './table.ts';

const KEY_NAME = 'bootstrap';

/** The settings that are missing; empty if the org is complete. */
export function bootstrapSettings(table: OrgTable, oid: string, apiKey: string, nowMs: number): OrgSetting[] {
  const setting = (kind: OrgSetting['kind'], name: string, value: object): OrgSetting => ({
    oid,
    kind,
    name,
    etag: hashOf(kind, name, JSON.stringify(value)),
    value: JSON.stringify(value),
    updated_at: nowMs,
    updated_by: KEY_NAME,
  });
  const settings: OrgSetting[] = [];
  if (!table.known(oid)) settings.push(setting('ORG', oid, { name: 'bootstrap' }));
  // Earlier periods stay: commands that were appended in them are valid, and a rebuild starts with the first period.
  const periods = [...table.periods(oid), { from: nowMs }];
  if (!table.subscribed(oid, nowMs)) settings.push(setting('SUBSCRIPTION', EXTENSION, { periods }));
  if (!table.findKey(oid, apiKey, nowMs))
    settings.push(setting('API_KEY', KEY_NAME, { hash: hashOfKey(apiKey), perms: RIGHTS }));
  return settings;
}
