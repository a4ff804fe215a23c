/** The steps that all consumers share. */
import { describe, expect, it } from 'vitest';
import { clockOf } from '../src/async/clock.ts';
import { consume, type Judge, judgeAll, judgeBatch, verdictOf, writeDeadLetters } from '../src/consumer.ts';
import type { SensorPresence } from '../src/model/records.ts';
import { OrgTable } from '../src/orgs/table.ts';
import type { Batch, DeadLetter, Decoded, InRecord } from '../src/ports.ts';
import { OID, set, testOrgs, UNKNOWN_OID } from './command/orgs.ts';

const recordAt = (offset: number): InRecord => ({
  topic: 't',
  partition: 0,
  offset,
  key: null,
  value: null,
  timestampMs: 0,
  headers: {},
});
const presenceOf = (oid: string, sid: string): SensorPresence => ({
  event: 'UPDATED',
  oid,
  sid,
  connection_id: '',
  occurred_at: 0,
  sensor: null,
  add_tags: [],
  remove_tags: [],
  set_should_isolate: null,
  try_now: false,
});
const values: (SensorPresence | null)[] = [
  presenceOf(OID, 'a'),
  presenceOf(UNKNOWN_OID, 'b'),
  null,
  presenceOf(OID, 'ignored'),
  presenceOf(OID, 'c'),
];
const decoded = values.map(
  (value, offset): Decoded<SensorPresence> =>
    value === null
      ? { record: recordAt(offset), refusal: { code: 'record_undecodable', message: '' } }
      : { record: recordAt(offset), value },
);
const judgeSid: Judge<SensorPresence, string> = (_record, { oid, sid }, orgs) =>
  sid === 'ignored' ? null : verdictOf(orgs.known(oid) ? null : { code: 'org_unknown', message: '' }, sid);

const idle = { nowMs: () => 0, monoMs: () => 0, random: () => 0 };
const clock = clockOf({
  ...idle,
  after: (_ms, work) => {
    queueMicrotask(work);
    return () => {};
  },
});
const shown = (deadLetters: DeadLetter[]) => deadLetters.map(({ record, code }) => `${record.offset} ${code}`);

describe('the records of a batch', () => {
  it('are accepted, refused or passed over, each in the order of the records', () => {
    const { accepted, deadLetters } = judgeAll(decoded, testOrgs(), judgeSid);
    expect(accepted).toEqual(['a', 'c']);
    expect(shown(deadLetters)).toEqual(['1 org_unknown', '2 record_undecodable']);
  });

  it.each([
    [true, ['a', 'b', 'c'], ['2 record_undecodable']],
    [false, ['a', 'c'], ['1 org_unknown', '2 record_undecodable']],
  ])(
    'are judged again when the orgs have been read to the end, in the same order (new org: %s)',
    async (isNew, ...wanted) => {
      const table = testOrgs();
      let refreshes = 0;
      const refresh = async () => {
        refreshes += 1;
        if (isNew) set(table, UNKNOWN_OID, 'ORG', UNKNOWN_OID, { name: 'new' });
      };
      const ports = { inbox: { decode: async () => decoded }, orgs: { table, refresh }, clock };
      const { accepted, deadLetters } = await judgeBatch(ports as never, 'SensorPresence', [], judgeSid);
      expect([accepted, shown(deadLetters), refreshes]).toEqual([...wanted, 1]);
    },
  );

  it('do not read the orgs again if none is refused for its org', async () => {
    const refresh = () => Promise.reject(new Error('not needed'));
    const orgs = { table: new OrgTable(), refresh };
    const ports = { inbox: { decode: async () => decoded.slice(2, 4) }, orgs, clock };
    const { deadLetters } = await judgeBatch(ports as never, 'SensorPresence', [], judgeSid);
    expect(shown(deadLetters)).toEqual(['2 record_undecodable']);
  });
});

it('counts dead letters when they are on the topic, and only then', async () => {
  const deadLetters: DeadLetter[] = [{ record: recordAt(1), code: 'sid_invalid', message: '' }];
  const counted: string[] = [];
  const write = (result: Promise<void>) =>
    writeDeadLetters(
      {
        outbox: { deadLetters: () => result },
        metrics: { deadLettered: (code: string) => counted.push(code) },
      } as never,
      deadLetters,
    );
  await expect(write(Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(counted).toEqual([]);
  await write(Promise.resolve());
  expect(counted).toEqual(['sid_invalid']);
});

describe('a batch', () => {
  const run = async (isAlive: (steps: string[]) => boolean, perform: (attempt: number) => Promise<boolean>) => {
    const steps: string[] = [];
    let attempts = 0;
    const batch = { topic: 'presence', partition: 3, alive: () => isAlive(steps) } as Batch;
    const ports = {
      clock,
      log: { warn: ({ partition }: { partition: number }) => steps.push(`warn ${partition}`) },
      metrics: { batchLatency: (stage: string) => steps.push(`timed ${stage}`) },
    };
    const done = await consume(ports as never, 'stage', batch, {
      perform: () => {
        attempts += 1;
        steps.push('perform');
        return perform(attempts);
      },
      commit: async () => void steps.push('commit'),
    });
    return [done, ...steps];
  };
  const fails = async () => Promise.reject(new Error('away'));

  it('is performed until that succeeds, and then committed', async () => {
    const steps = await run(
      () => true,
      async (attempt) => (attempt < 3 ? fails() : true),
    );
    expect(steps).toEqual([true, 'perform', 'warn 3', 'perform', 'warn 3', 'perform', 'commit', 'timed stage']);
  });

  it('is left without a commit if it has to be read again', async () => {
    expect(
      await run(
        () => true,
        async () => false,
      ),
    ).toEqual([false, 'perform']);
  });

  it('is left without a commit if the partition is lost, also between two attempts', async () => {
    expect(
      await run(
        (steps) => steps.length === 0,
        async () => true,
      ),
    ).toEqual([false, 'perform']);
    expect(await run((steps) => steps.length === 0, fails)).toEqual([false, 'perform', 'warn 3']);
  });
});
