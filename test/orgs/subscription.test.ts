import { describe, expect, it } from 'vitest';
import { changeSubscription, since, subscribed, unsubscribed } from '../../src/orgs/subscription.ts';
import { EXTENSION, OrgTable } from '../../src/orgs/table.ts';
import { OID } from '../command/orgs.ts';
import { SettingLog } from './memory-settings.ts';

describe('periods', () => {
  it.each([
    [subscribed, [], [{ from: 7_000 }]],
    [subscribed, [{ from: 1 }], null],
    [subscribed, [{ from: 1, to: 2 }], [{ from: 1, to: 2 }, { from: 7_000 }]],
    [unsubscribed, [], null],
    [unsubscribed, [{ from: 1, to: 2 }], null],
    [
      unsubscribed,
      [{ from: 1, to: 2 }, { from: 3 }],
      [
        { from: 1, to: 2 },
        { from: 3, to: 9_000 },
      ],
    ],
    [unsubscribed, [{ from: 9_000 }], []],
    [unsubscribed, [{ from: 12_000 }], []],
  ])('%o of %j at 9 s is %j: they begin a little before, for the clocks of brokers', (change, periods, expected) => {
    expect(change(periods, 9_000)).toEqual(expected);
  });

  it('are kept as long as the log has records of them', () => {
    expect(since([{ from: 1, to: 5 }, { from: 6, to: 7 }, { from: 8 }], 6)).toEqual([{ from: 6, to: 7 }, { from: 8 }]);
  });
});

describe('a subscription', () => {
  const by = { oid: OID, by: 'me', keptMs: 100_000 };

  it('that another process has ended begins again, though this one has not heard of the end', async () => {
    const log = new SettingLog();
    const orgs = new OrgTable();
    const [one, two] = [log.process('one', orgs), log.process('two')];
    await changeSubscription(one, subscribed, { ...by, nowMs: 10_000 });
    await changeSubscription(two, unsubscribed, { ...by, nowMs: 20_000 });
    await changeSubscription(one, subscribed, { ...by, nowMs: 30_000 });
    expect(orgs.periods(OID)).toEqual([{ from: 8_000, to: 20_000 }, { from: 28_000 }]);
    await changeSubscription(two, unsubscribed, { ...by, nowMs: 125_000 });
    one.catchUp();
    expect(orgs.periods(OID)).toEqual([{ from: 28_000, to: 125_000 }]);
  });

  it('is changed once by many at the same time, and keeps what else its value says', async () => {
    const log = new SettingLog();
    const all = Array.from({ length: 4 }, (_, n) => log.process(`p${n}`));
    const value = { periods: [], note: 'x' };
    await all[0]?.write({ oid: OID, kind: 'SUBSCRIPTION', name: EXTENSION, value, by: 'me' });
    await Promise.all(all.map((one, n) => changeSubscription(one, subscribed, { ...by, nowMs: n })));
    expect(log.entries).toHaveLength(2);
    expect(JSON.parse(log.entries[1]?.setting?.value ?? '')).toMatchObject({ note: 'x', periods: [{}] });
  });
});
