/** An org table for tests: one subscribed org, one that was subscribed for a while, one that never was. */
import type { OrgSetting, SettingKind } from '../../src/model/records.ts';
import { EXTENSION, hashOfKey, OrgTable, settingKey } from '../../src/orgs/table.ts';

export const OID = '11111111-2222-4333-8444-555555555555';
export const PAST_OID = '11111111-2222-4333-8444-666666666666';
export const BARE_OID = '11111111-2222-4333-8444-777777777777';
export const UNKNOWN_OID = '11111111-2222-4333-8444-888888888888';

export const SECRET = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const READER_SECRET = 'aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff';

export function set(table: OrgTable, oid: string, kind: SettingKind, name: string, value: object | null): void {
  const key = settingKey(oid, kind, name);
  const setting: OrgSetting = {
    oid,
    kind,
    name,
    etag: 'e',
    value: JSON.stringify(value),
    updated_at: 0,
    updated_by: 'test',
  };
  table.apply(key, value === null ? null : setting);
}

export function testOrgs(): OrgTable {
  const table = new OrgTable();
  for (const oid of [OID, PAST_OID, BARE_OID]) set(table, oid, 'ORG', oid, { name: 'test' });
  set(table, OID, 'SUBSCRIPTION', EXTENSION, { periods: [{ from: 0 }] });
  set(table, PAST_OID, 'SUBSCRIPTION', EXTENSION, { periods: [{ from: 1_000, to: 2_000 }] });
  for (const oid of [OID, PAST_OID, BARE_OID])
    set(table, oid, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: ['sensor.task', 'sensor.list'] });
  set(table, OID, 'API_KEY', 'reader', { hash: hashOfKey(READER_SECRET), perms: ['sensor.list'] });
  return table;
}
