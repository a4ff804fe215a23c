/** An org table for tests: one subscribed org, one that was subscribed for a while, one that never was. */
import type { OrgSetting, SettingKind } from '../../src/model/records.ts';
import { EXTENSION, hashOfKey, OrgTable, settingKey } from '../../src/orgs/table.ts';

export const OID = '11111111-2222-4333-8444-555555555555';
export const PAST_OID = '11111111-2222-4333-8444-666666666666';
export const BARE_OID = '11111111-2222-4333-8444-777777777777';
export const UNKNOWN_OID = '11111111-2222-4333-8444-888888888888';

/** When PAST_OID was subscribed, Unix ms. */
export const PAST_PERIOD = { from: Date.UTC(2021), to: Date.UTC(2022) };

export const SECRET = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const READER_SECRET = 'aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff';

type Entry = { key: string; setting: OrgSetting | null };

function entry(oid: string, kind: SettingKind, name: string, value: object | null): Entry {
  const text = JSON.stringify(value);
  const setting = { oid, kind, name, etag: 'e', value: text, updated_at: 0, updated_by: 'test' };
  return { key: settingKey(oid, kind, name), setting: value === null ? null : setting };
}

export function set(table: OrgTable, oid: string, kind: SettingKind, name: string, value: object | null): void {
  const { key, setting } = entry(oid, kind, name, value);
  table.apply(key, setting);
}

export const testSettings = (): Entry[] => [
  ...[OID, PAST_OID, BARE_OID].map((oid) => entry(oid, 'ORG', oid, { name: 'test' })),
  entry(OID, 'SUBSCRIPTION', EXTENSION, { periods: [{ from: 0 }] }),
  entry(PAST_OID, 'SUBSCRIPTION', EXTENSION, { periods: [PAST_PERIOD] }),
  ...[OID, PAST_OID, BARE_OID].map((oid) =>
    entry(oid, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: ['sensor.task', 'sensor.list'] }),
  ),
  entry(OID, 'API_KEY', 'reader', { hash: hashOfKey(READER_SECRET), perms: ['sensor.list'] }),
];

export function testOrgs(): OrgTable {
  const table = new OrgTable();
  for (const { key, setting } of testSettings()) table.apply(key, setting);
  return table;
}
