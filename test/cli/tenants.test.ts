import { describe, expect, it } from 'vitest';
import { keyText, wantedKey } from '../../src/cli/commands/keys/create.ts';
import { findKeys } from '../../src/cli/commands/keys/find.ts';
import { keyCsv, keyTable, type ListedKey } from '../../src/cli/commands/keys/list.ts';
import { painter } from '../../src/cli/io.ts';
import { RIGHTS } from '../../src/orgs/rights.ts';
import { hashOfKey } from '../../src/orgs/table.ts';
import { BARE_OID, OID, set, testOrgs } from '../command/orgs.ts';
import { SettingLog } from '../orgs/memory-settings.ts';
import { NOW_MS, run } from './fixtures.ts';

const DAY_MS = 86_400_000;

describe('what is wrong is said before anything is asked of Kafka', () => {
  it.each([
    ['keys create', 'The org is missing.'],
    ['keys create --oid x', "The org id must be a UUID, not 'x'."],
    [`keys create --orgs ${OID},${BARE_OID}`, 'A key for several orgs must belong to a user.'],
    [`keys create --oid ${OID} --perms sensor.tsk`, 'Unknown right: sensor.tsk.'],
    [`keys create --oid ${OID} --perms ,`, 'No right is given.'],
    [`keys create --oid ${OID} --name a/b`, "'a/b' is not a valid name."],
    [`keys create --oid ${OID} --expires soon`, "'soon' is not a duration."],
    [`keys create --oid ${OID} --expires 2025-12-31`, "'2025-12-31' is in the past."],
    [`keys create --oid ${OID} --expires 2026-13-01`, "'2026-13-01' is not a date."],
    [`keys create --oid ${OID} --expires 0`, "'0' is in the past."],
    ['keys revoke ci', 'The org is missing.'],
    [`orgs delete ${OID}`, 'This cannot be undone.'],
    ['orgs delete x --yes', "The org id must be a UUID, not 'x'."],
    [`keys create --oid ${OID}`, 'KAFKA_BROKERS is not set'],
    ['keys list', 'KAFKA_BROKERS is not set'],
    ['orgs create', 'KAFKA_BROKERS is not set'],
    ['orgs list', 'KAFKA_BROKERS is not set'],
  ])('%s', async (line, sentence) => {
    const { exitCode, out, err } = await run(line.split(' '));
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });
});

describe('a key that is wanted', () => {
  it('has all rights, lives for good and gets a name, unless something else is said', () => {
    expect(wantedKey({ oid: OID.toUpperCase() }, NOW_MS)).toEqual({
      oids: [OID],
      name: expect.stringMatching(/^key-[0-9a-f]{8}$/),
      perms: RIGHTS,
    });
  });

  it.each([
    ['90d', NOW_MS + 90 * DAY_MS],
    ['2026-01-01', NOW_MS + DAY_MS - 1],
  ])('that expires %s ends at %i', (expires, expiresAtMs) => {
    expect(wantedKey({ oid: OID, expires }, NOW_MS).expiresAtMs).toBe(expiresAtMs);
  });

  it('is shown with its end as other tables show times', () => {
    const text = (expires?: string) =>
      keyText(wantedKey({ oid: OID, ...(expires ? { expires } : {}) }, NOW_MS), 'k', NOW_MS, painter(false));
    expect(text('90d')).toMatch(/^expires {2}2026-04-01 00:00:00Z, in 90d$/m);
    expect(text('2026-01-01')).toMatch(/^expires {2}2026-01-01 23:59:59Z, in 23h 59m$/m);
    expect(text()).toMatch(/^expires {2}never$/m);
  });

  it('names each org and right once', () => {
    const flags = { oid: OID, orgs: `${OID}, ${BARE_OID}`, uid: 'alice', perms: 'dr.list, dr.list' };
    expect(wantedKey(flags, NOW_MS)).toMatchObject({ oids: [OID, BARE_OID], uid: 'alice', perms: ['dr.list'] });
  });
});

describe('keys that are listed', () => {
  const orgs = testOrgs();
  set(orgs, BARE_OID, 'API_KEY', 'laptop', { hash: hashOfKey('x'), uid: 'alice', perms: [], expires_at: NOW_MS });
  const log = { read: async () => {}, write: async () => {} };
  const operator = { orgs, settings: new SettingLog().process(), keyUse: null, log, redis: null };
  const names = (place: object) => findKeys(operator, place, NOW_MS).map(({ oid, name }) => `${oid}/${name}`);

  it('are those of the org, of the user, or all', () => {
    expect(names({ oid: OID })).toEqual([`${OID}/all`, `${OID}/reader`]);
    expect(names({ uid: 'alice' })).toEqual([`${BARE_OID}/laptop`]);
    expect(names({})).toHaveLength(5);
    expect(() => names({ oid: '99999999-2222-4333-8444-555555555555' })).toThrow('does not exist');
  });

  it('are rows for programs, without the hash', () => {
    const key: ListedKey = { ...findKeys(operator, { uid: 'alice' }, NOW_MS)[0]!, last_used_at: null };
    const [head, row] = keyCsv([{ ...key, perms: ['a', 'b'] }]).split('\r\n');
    expect(head).toBe('oid,name,uid,perms,expires_at,expired,last_used_at,updated_at,updated_by');
    expect(row?.split(',').slice(0, 7)).toEqual([BARE_OID, 'laptop', 'alice', 'a b', String(NOW_MS), 'true', '']);
  });

  it('show no hash, and when they run out', () => {
    const key: ListedKey = { ...findKeys(operator, { uid: 'alice' }, NOW_MS)[0]!, last_used_at: NOW_MS - 90_000 };
    const shown = keyTable(
      [key, { ...key, expired: false, expires_at: NOW_MS + DAY_MS }],
      NOW_MS,
      (_style, text) => text,
    );
    expect(
      shown
        .split('\n')
        .slice(1, 3)
        .map((line) => line.split(/ {2,}/).slice(1, 6)),
    ).toEqual(
      [
        ['laptop', 'alice', '', 'over', '1m 30s ago'].filter(Boolean),
        ['laptop', 'alice', '', '1d', '1m 30s ago'].filter(Boolean),
      ].map((cells) => expect.arrayContaining(cells)),
    );
    expect(JSON.stringify(key)).not.toContain(hashOfKey('x'));
  });
});
