import { describe, expect, it } from 'vitest';
import type { OrgSetting } from '../../src/model/records.ts';
import { checkWrite, NAME_MAX_BYTES, SettingsTable, VALUE_MAX_BYTES } from '../../src/orgs/settings.ts';
import { OID, PAST_OID } from '../command/orgs.ts';

const record = (value: string, etag = 'e1'): OrgSetting => ({
  oid: OID,
  kind: 'HIVE',
  name: 'n',
  etag,
  value,
  updated_at: 5,
  updated_by: 'me',
});

describe('the table of settings', () => {
  it('holds the last of each name, with what is known of its write', () => {
    const table = new SettingsTable();
    table.apply(`${OID}/HIVE/dr-general/a`, record('{"a":1}'));
    table.apply(`${OID}/HIVE/dr-general/a`, record('{"a":2}', 'e2'));
    expect(table.get(OID, 'HIVE', 'dr-general/a')).toEqual({
      oid: OID,
      kind: 'HIVE',
      name: 'dr-general/a',
      etag: 'e2',
      value: { a: 2 },
      size: 7,
      updatedAtMs: 5,
      updatedBy: 'me',
    });
    expect(table.get(PAST_OID, 'HIVE', 'dr-general/a')).toBeUndefined();
    expect(table.get(OID, 'OUTPUT', 'dr-general/a')).toBeUndefined();
    table.apply(`${OID}/HIVE/dr-general/a`, null);
    expect(table.get(OID, 'HIVE', 'dr-general/a')).toBeUndefined();
  });

  it('lists one kind of one org by name, and the list is the caller’s own', () => {
    const table = new SettingsTable();
    for (const name of ['b', 'a', 'ä', 'A']) table.apply(`${OID}/OUTPUT/${name}`, record('{}'));
    table.apply(`${PAST_OID}/OUTPUT/z`, record('{}'));
    table.apply(`${OID}/HIVE/y`, record('{}'));
    const names = () => table.list(OID, 'OUTPUT').map(({ name }) => name);
    expect(names()).toEqual(['A', 'a', 'b', 'ä']);
    table.list(OID, 'OUTPUT').pop();
    table.apply(`${OID}/OUTPUT/a`, null);
    expect(names()).toEqual(['A', 'b', 'ä']);
    expect(table.list(PAST_OID, 'HIVE')).toEqual([]);
  });

  it.each(['', OID, `${OID}/HIVE`, `${OID}/HIVE/`, `${OID}/NEWS/x`])('is not changed by the key "%s"', (key) => {
    const table = new SettingsTable();
    const heard: unknown[] = [];
    table.onChange((...change) => heard.push(change));
    table.apply(key, record('{}'));
    expect(heard).toEqual([]);
  });

  it.each(['no', '[]', '7', 'null'])('is not changed by the value %s', (value) => {
    const table = new SettingsTable();
    table.apply(`${OID}/HIVE/n`, record('{"a":1}'));
    table.apply(`${OID}/HIVE/n`, record(value, 'e2'));
    expect(table.get(OID, 'HIVE', 'n')?.etag).toBe('e1');
  });

  it('calls listeners with the setting that has changed, until they are stopped', () => {
    const table = new SettingsTable();
    const heard: unknown[] = [];
    const stop = table.onChange((...change) => heard.push(change));
    table.apply(`${OID}/HIVE/a/b`, record('{}'));
    table.apply(`${OID}/HIVE/a/b`, null);
    stop();
    table.apply(`${OID}/HIVE/a/b`, record('{}'));
    expect(heard).toEqual([
      [OID, 'HIVE', 'a/b'],
      [OID, 'HIVE', 'a/b'],
    ]);
  });
});

describe('what may be written', () => {
  const write = { oid: OID, kind: 'HIVE' as const, name: 'n', value: {}, by: 'me' };

  it.each([
    ['a name without text', { name: '' }, 'setting_invalid'],
    ['a name that is too long', { name: 'ä'.repeat(NAME_MAX_BYTES / 2 + 1) }, 'setting_invalid'],
    ['a name with a line break', { name: 'a\nb' }, 'setting_invalid'],
    ['a kind that nobody knows', { kind: 'NEWS' as 'HIVE' }, 'setting_invalid'],
    ['an oid that is none', { oid: 'x/y' }, 'oid_invalid'],
    ['a value that no record can hold', { value: { a: 'x'.repeat(VALUE_MAX_BYTES) } }, 'setting_too_large'],
  ])('%s is refused', (_what, part, code) => {
    expect(() => checkWrite({ ...write, ...part })).toThrow(expect.objectContaining({ code }));
  });

  it('a name of the greatest length and a value of the greatest size are taken', () => {
    const value = { a: 'x'.repeat(VALUE_MAX_BYTES - '{"a":""}'.length) };
    expect(checkWrite({ ...write, name: 'ä'.repeat(NAME_MAX_BYTES / 2), value })).toHaveLength(VALUE_MAX_BYTES);
    expect(checkWrite({ ...write, value: null })).toBeNull();
  });
});
