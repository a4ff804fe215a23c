import { describe, expect, it } from 'vitest';
import { EXTENSION, hashOfKey, OrgTable, settingKey } from '../../src/orgs/table.ts';
import { OID, PAST_OID, set, UNKNOWN_OID } from '../command/orgs.ts';

const tableOf = (periods?: object[]): OrgTable => {
  const table = new OrgTable();
  set(table, OID, 'ORG', OID, { name: 'one' });
  if (periods) set(table, OID, 'SUBSCRIPTION', EXTENSION, { periods });
  return table;
};
const raw = (value: string) => ({
  oid: OID,
  kind: 'SUBSCRIPTION' as const,
  name: EXTENSION,
  etag: 'e',
  value,
  updated_at: 0,
  updated_by: 't',
});

describe('the table of orgs', () => {
  it.each([
    [999, false],
    [1_000, true],
    [1_999, true],
    [2_000, false],
    [2_999, false],
    [3_000, true],
    [9_999_999, true],
  ])('knows whether an org was subscribed at %i: a period takes in its start and not its end', (atMs, subscribed) => {
    expect(tableOf([{ from: 1_000, to: 2_000 }, { from: 3_000 }]).subscribed(OID, atMs)).toBe(subscribed);
  });

  it('lists the orgs that can have tasks: they exist and were subscribed once', () => {
    const table = tableOf();
    expect(table.oids()).toEqual([]);
    set(table, PAST_OID, 'SUBSCRIPTION', EXTENSION, { periods: [{ from: 0 }] });
    expect(table.known(PAST_OID)).toBe(false);
    expect(table.oids()).toEqual([]);
    set(table, OID, 'SUBSCRIPTION', EXTENSION, { periods: [{ from: 5, to: 6 }] });
    expect(table.oids()).toEqual([OID]);
    set(table, OID, 'ORG', OID, null);
    expect(table.known(OID)).toBe(false);
    expect(table.oids()).toEqual([]);
  });

  it('takes the earliest period as the time before which nothing of an org is', () => {
    const periods = [{ from: 3_000 }, { from: 1_000, to: 2_000 }];
    expect(tableOf(periods).firstSubscribedAtMs(OID)).toBe(1_000);
    expect(tableOf().firstSubscribedAtMs(OID)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('does not mind subscriptions to other extensions', () => {
    const table = tableOf();
    set(table, OID, 'SUBSCRIPTION', 'ext-other', { periods: [{ from: 0 }] });
    expect(table.subscribed(OID, 1)).toBe(false);
  });

  it.each(['not json', '[1]', '"text"', 'null', '7'])('is not changed by the value %s', (value) => {
    const table = tableOf([{ from: 1 }]);
    table.apply(settingKey(OID, 'SUBSCRIPTION', EXTENSION), raw(value));
    expect(table.subscribed(OID, 2)).toBe(true);
  });

  it.each(['', OID, '/ORG/x', `${OID}/NEWS/x`])('is not changed by the key "%s"', (key) => {
    const table = new OrgTable();
    let heard = 0;
    table.onChange(() => {
      heard += 1;
    });
    table.apply(key, { ...raw('{}'), kind: 'ORG' });
    expect(heard).toBe(0);
    expect(table.known(OID)).toBe(false);
  });

  it('finds a key by its secret in its own org only, until it runs out or is deleted', () => {
    const table = tableOf();
    set(table, PAST_OID, 'ORG', PAST_OID, {});
    set(table, OID, 'API_KEY', 'a/b', { hash: hashOfKey('s'), perms: ['sensor.task'], uid: 'u', expires_at: 100 });
    const key = { oid: OID, name: 'a/b', hash: hashOfKey('s'), perms: ['sensor.task'], uid: 'u', expiresAtMs: 100 };
    expect(table.findKey(OID, 's', 99)).toEqual(key);
    expect(table.findKey(OID, 's', 100)).toBeUndefined();
    expect([...table.keys(OID)]).toEqual([key]);
    expect(table.findKey(OID, 'other', 99)).toBeUndefined();
    expect(table.findKey(PAST_OID, 's', 99)).toBeUndefined();
    set(table, OID, 'API_KEY', 'a/b', null);
    expect(table.findKey(OID, 's', 99)).toBeUndefined();
    expect([...table.keys(OID)]).toEqual([]);
    expect(table.keysWith({ hash: hashOfKey('s') }, 99)).toEqual([]);
  });

  it('finds a user key in each org that it opens, and no longer where it was replaced', () => {
    const table = tableOf();
    for (const oid of [PAST_OID, OID, UNKNOWN_OID])
      set(table, oid, 'API_KEY', 'k', { hash: hashOfKey('s'), perms: [], uid: 'u' });
    set(table, PAST_OID, 'ORG', PAST_OID, { name: 'two' });
    const orgs = () => table.keysWith({ hash: hashOfKey('s'), uid: 'u' }, 5).map(({ oid }) => oid);
    expect(orgs()).toEqual([OID, PAST_OID]);
    set(table, PAST_OID, 'API_KEY', 'k', { hash: hashOfKey('other'), perms: [] });
    expect(orgs()).toEqual([OID]);
    set(table, OID, 'API_KEY', 'k', { hash: hashOfKey('s'), perms: [], expires_at: 5 });
    expect(orgs()).toEqual([]);
  });

  it('knows orgs by their names', () => {
    const table = tableOf();
    set(table, PAST_OID, 'ORG', PAST_OID, {});
    expect([OID, PAST_OID, UNKNOWN_OID].map((oid) => table.nameOf(oid))).toEqual(['one', '', null]);
    expect(table.all()).toEqual([OID, PAST_OID]);
  });

  it('calls listeners after each change, until they are stopped', () => {
    const table = new OrgTable();
    let heard = 0;
    const stop = table.onChange(() => {
      heard += 1;
    });
    set(table, OID, 'ORG', OID, {});
    set(table, OID, 'ORG', OID, null);
    stop();
    set(table, OID, 'ORG', OID, {});
    expect(heard).toBe(2);
  });
});
