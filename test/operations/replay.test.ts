/** The fold of the log, and how it is held against Redis. */
import { describe, expect, it } from 'vitest';
import type { SensorState, TaskCommand, TaskEvent } from '../../src/model/records.ts';
import { contentHashOf, type Delivery, type TaskRecord } from '../../src/model/task.ts';
import { compareSensor, compareTask, essenceOf, type LiveTask } from '../../src/operations/compare.ts';
import type { TaskPlaces } from '../../src/operations/kept.ts';
import { progressOf } from '../../src/operations/rebuild-progress.ts';
import { type LoggedTask, Replay } from '../../src/operations/replay.ts';
import type { InRecord } from '../../src/ports.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const NOW = 1_800_000_000_000;
const RETENTION = 100_000;
const command = (change: Partial<TaskCommand> = {}): TaskCommand => ({
  action: 'TASK',
  oid: OID,
  task_id: 'a',
  task: 'os_version',
  selector: null,
  context: null,
  ttl: 60,
  issued_at: NOW,
  issued_by: '',
  untask_selector: null,
  options: null,
  ...change,
});
const at = (offset: number, timestampMs = NOW): InRecord => ({
  topic: 't',
  partition: 0,
  offset,
  key: null,
  value: null,
  timestampMs,
  headers: {},
});
const event = (type: TaskEvent['type'], sid: string | null, change: Partial<TaskEvent> = {}): TaskEvent => ({
  type,
  event_id: 'e',
  oid: OID,
  task_id: 'a',
  sid,
  attempt: sid === null ? null : 1,
  occurred_at: NOW,
  detail: JSON.stringify({ expires_at: NOW + 60_000, error_code: '5' }),
  ...change,
});
const untask = command({ action: 'UNTASK' });
const fold = (work: (replay: Replay) => void): LoggedTask => {
  const replay = new Replay(RETENTION);
  work(replay);
  return replay.get(OID, 'a') as LoggedTask;
};
const deliveryOf = (task: LoggedTask, sid = 's') => task.deliveries.get(sid);

describe('the fold of the log', () => {
  it('adds a task once; a removal ends it, and its id is used up until it is forgotten', () => {
    const removed = fold((replay) => {
      replay.command(at(0), command());
      replay.command(at(1), command({ issued_at: NOW + 5 }));
      replay.command(at(2), command({ task: 'other' }));
      replay.command(at(3, NOW + 1), untask);
      replay.command(at(4, NOW + 2), untask);
      replay.command(at(5, NOW + RETENTION), command());
    });
    expect(removed).toMatchObject({ state: 'removed', offset: 0, endedAtMs: NOW + 1, goneAtMs: NOW + 1 + RETENTION });
    const anew = fold((replay) => {
      replay.command(at(0), command());
      replay.command(at(1, NOW + 1), untask);
      replay.command(at(2, NOW + 1 + RETENTION), command({ issued_at: NOW + RETENTION }));
    });
    expect(anew).toMatchObject({ state: 'pending', offset: 2 });
  });

  it('withdraws nothing by an UNTASK after the end, nor by one for some sensors: its events say what it withdrew', () => {
    expect(
      fold((replay) => {
        replay.command(at(0), command());
        replay.command(at(1, NOW + 60_000), untask);
        replay.command(at(2), command({ action: 'UNTASK', untask_selector: 'plat == linux' }));
      }).state,
    ).toBe('pending');
  });

  it('is the same whichever of the two topics is read first', () => {
    const events = [event('TASK_SENT', 's'), event('TASK_DONE', 's'), event('TASK_EXPIRED', null)];
    const first = fold((replay) => {
      for (const one of events) replay.event(one);
      replay.command(at(0), command());
    });
    const last = fold((replay) => {
      replay.command(at(0), command());
      for (const one of events) replay.event(one);
    });
    expect(first).toEqual(last);
    expect(first).toMatchObject({ state: 'expired', endedAtMs: NOW + 60_000 });
  });

  it('lets the first answer count, and the highest attempt', () => {
    const task = fold((replay) => {
      replay.event(event('TASK_SENT', 's', { attempt: 2 }));
      replay.event(event('TASK_SENT', 's', { attempt: 1 }));
      replay.event(event('TASK_FAILURE', 's', { attempt: 2 }));
      replay.event(event('TASK_DONE', 's', { attempt: 3 }));
      replay.event(event('TASK_REMOVED', 'r'));
      replay.event(event('TASK_SENT', 'r', { attempt: 9 }));
    });
    expect(deliveryOf(task)).toEqual({ state: 'failed', attempt: 2, code: '5' });
    expect(deliveryOf(task, 'r')?.state).toBe('removed');
  });
});

describe('Redis held against the log', () => {
  const logged = fold((replay) => {
    replay.command(at(0), command());
    replay.event(event('TASK_SENT', 'sent', { attempt: 2 }));
    replay.event(event('TASK_DONE', 'done', { attempt: 1 }));
  });
  const record: TaskRecord = {
    taskId: 'a',
    state: 'pending',
    expiresAtMs: NOW + 60_000,
    endedAtMs: null,
    contentHash: contentHashOf(command()),
    offset: 0,
    command: command(),
  };
  const delivery = (state: Delivery['state'], attempt: number, reason = '-'): Delivery => ({
    state,
    attempt,
    atMs: NOW,
    reason,
  });
  const live = (change: Partial<LiveTask> = {}, deliveries: [string, Delivery][] = []): LiveTask => ({
    record,
    deliveries: new Map([['sent', delivery('sent', 2)], ['done', delivery('done', 1)], ...deliveries]),
    places: inPlace,
    ...change,
  });
  const inPlace: TaskPlaces = { content: contentHashOf(command()), pendingMs: NOW + 60_000, endedMs: null };
  const misplaced = (change: Partial<TaskPlaces>) => live({ places: { ...inPlace, ...change } });
  const NOWHERE: TaskPlaces = { content: null, pendingMs: null, endedMs: null };
  const keysOf = (task: LiveTask, log: LoggedTask | undefined = logged, nowMs = NOW) =>
    compareTask(OID, 'a', task, log, nowMs).map(({ key }) => key.replace(`{${OID}}:`, ''));

  it.each<[string, LiveTask, string[]]>([
    ['nothing', live(), []],
    [
      'a claim under way',
      live({}, [
        ['sent', delivery('sent', 3, '0:1:2:3')],
        ['new', delivery('sent', 1, '0:1:2:3')],
      ]),
      [],
    ],
    ['a lost task', live({ record: null, deliveries: new Map() }), ['p:a']],
    ['another end', live({ record: { ...record, expiresAtMs: 1 } }), ['p:a']],
    ['another state', live({ record: { ...record, state: 'removed', endedAtMs: 5 } }), ['p:a', 'p:a']],
    ['another command', live({ record: { ...record, command: command({ task: 'other' }) } }), ['p:a']],
    ['an index that lacks it', misplaced({ pendingMs: null }), ['ix']],
    ['an index with another time', misplaced({ pendingMs: NOW }), ['ix']],
    ['an index too many', misplaced({ endedMs: NOW }), ['ie']],
    ['a lost key of its own', misplaced({ content: null }), ['t:a']],
    ['another content of its own key', misplaced({ content: 'other' }), ['t:a']],
    ['a lost pair', live({ deliveries: new Map([['sent', delivery('sent', 2)]]) }), ['p:a done']],
    ['a pair too many', live({}, [['other', delivery('done', 1)]]), ['p:a other']],
    ['a lost attempt', live({}, [['sent', delivery('sent', 1)]]), ['p:a sent']],
    ['an answer that the log has not', live({}, [['sent', delivery('done', 2)]]), ['p:a sent']],
  ])('%s', (_, task, keys) => expect(keysOf(task)).toEqual(keys));

  it('may forget a task a little before or after we do, and has to in the end', () => {
    expect(keysOf(live(), logged, logged.goneAtMs - 1)).toEqual([]);
    expect(keysOf(live(), logged, logged.goneAtMs + 60_000)).toEqual(['p:a', 'ix', 't:a']);
    expect(keysOf(live({ record: null, places: NOWHERE }), logged, logged.goneAtMs + 60_000)).toEqual([]);
  });

  it('has no task that the log does not know', () => {
    expect(compareTask(OID, 'x', live({ places: NOWHERE }), undefined, NOW)).toHaveLength(1);
    expect(compareTask(OID, 'x', live({ record: null, places: NOWHERE }), undefined, NOW)).toEqual([]);
  });

  it('has the facts of sensor-state, whenever the sensor was seen', () => {
    const state: SensorState = {
      oid: OID,
      sid: 's',
      sensor: null,
      platform_tags: [{ tag: 'old', expires_at: NOW - 1 }],
      removed_tags: [],
      should_isolate: null,
      alive_at: 1,
      connection_id: 'c',
    };
    const essence = (change: Partial<SensorState>) => essenceOf({ ...state, ...change }, NOW);
    expect(essence({ alive_at: 2, connection_id: null, platform_tags: [] })).toBe(essence({}));
    expect(essence({ should_isolate: true })).not.toBe(essence({}));
    expect(compareSensor(OID, 0, 's', essence({}), essence({}))).toEqual([]);
    expect(compareSensor(OID, 0, 's', undefined, essence({}))).toHaveLength(1);
    expect(compareSensor(OID, 0, 's', essence({}), undefined)).toHaveLength(1);
  });
});

it('a rebuild is as far as the org that is furthest behind', () => {
  const status = (usable: boolean, c: number, t: number) => ({
    epoch: 'e',
    usable,
    version: 0,
    begunAtMs: 0,
    nowMs: 0,
    commandOffsets: new Map([[0, c]]),
    eventOffsets: new Map([[0, t]]),
    presenceOffsets: new Map(),
    livePartitions: new Set<number>(),
  });
  const ends = new Map([[0, { low: 10, high: 30 }]]);
  const progress = (...list: (ReturnType<typeof status> | null)[]) => progressOf(list, ends, ends);
  expect(progress(status(true, 0, 0))).toEqual({ orgs: 1, usable: 1, done: 40, total: 40 });
  expect(progress(status(true, 30, 30), status(false, 15, 99))).toEqual({ orgs: 2, usable: 1, done: 25, total: 40 });
  expect(progress(null)).toEqual({ orgs: 1, usable: 0, done: 0, total: 40 });
});
