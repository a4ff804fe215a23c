/** The first org of an installation: subscribed, with one key of all rights; made at start if it is not there. Pure. */

import { hashOf } from '../model/ids.ts';
import type { OrgSetting } from '../model/records.ts';
import { RIGHTS } from './rights.ts';
import { EXTENSION, hashOfKey, type OrgTable } from './table.ts';

const KEY_NAME = 'bootstrap';

/** The settings that are missing; empty when the org is as it should be. */
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
  // Earlier periods stay: what was appended in them is valid, and a rebuild begins with the first.
  const periods = [...table.periods(oid), { from: nowMs }];
  if (!table.subscribed(oid, nowMs)) settings.push(setting('SUBSCRIPTION', EXTENSION, { periods }));
  if (!table.findKey(oid, apiKey, nowMs))
    settings.push(setting('API_KEY', KEY_NAME, { hash: hashOfKey(apiKey), perms: RIGHTS }));
  return settings;
}
