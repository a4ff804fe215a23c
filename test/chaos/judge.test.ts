/** The judge is proven on a small history: nothing is found in it as it is, and each planted breach is found by its name. */
import { describe, expect, it } from 'vitest';
import type { TopicKey } from '../../src/topics.ts';
import { judge } from './judge.ts';
import { type Entry, inOrder } from './records.ts';

const OID = '7e41e07b-c44c-43a3-b78d-41f34204789d';
const T0 = 1_700_000_000_000;
const TTL_SECONDS = 10;
const EXPIRY_MS = 10 + TTL_SECONDS * 1_000;

const entry = (topic: TopicKey, afterMs: number, key: string, value: object | null, headers = {}): Entry => ({
  topic,
  partition: 0,
  offset: afterMs,
  atMs: T0 + afterMs,
  key,
  value,
  headers,
});
const setting = (kind: string, name: string, value: object) =>
  entry('orgSettings', 0, `${OID}/${kind}/${name}`, {
    oid: OID,
    kind,
    name,
    etag: 'e',
    value: JSON.stringify(value),
    updated_at: T0,
    updated_by: '',
  });
const command = {
  action: 'TASK',
  oid: OID,
  task_id: 't1',
  task: 'run',
  selector: null,
  context: null,
  ttl: TTL_SECONDS,
  issued_at: T0 + 10,
  issued_by: '',
  untask_selector: null,
  options: null,
};
const connected = (connection_id: string) =>
  entry('presence', 5, 's1', {
    event: 'CONNECTED',
    oid: OID,
    sid: 's1',
    connection_id,
    occurred_at: T0,
    sensor: null,
    add_tags: [],
    remove_tags: [],
    set_should_isolate: null,
    try_now: false,
  });
const dispatch = (afterMs: number, claimedMs = afterMs, part: object = {}) =>
  entry('dispatch', afterMs, 's1', {
    dispatch_id: `d${claimedMs}`,
    oid: OID,
    sid: 's1',
    task_id: 't1',
    task: 'run',
    attempt: 1,
    investigation_id: 't1',
    connection_id: 'k1',
    dispatched_at: T0 + claimedMs,
    expires_at: T0 + EXPIRY_MS,
    ...part,
  });
const event = (afterMs: number, type: string, sid: string | null, event_id = type) =>
  entry('taskEvents', afterMs, 't1', {
    type,
    event_id,
    oid: OID,
    task_id: 't1',
    sid,
    attempt: sid && 1,
    occurred_at: T0 + afterMs,
    detail: null,
  });

const ORG = [setting('ORG', OID, {}), setting('SUBSCRIPTION', 'ext-reliable-tasking', { periods: [{ from: 0 }] })];
const TASK = [entry('commands', 10, 't1', command), event(20, 'ADD_TASK', null)];
const SENSOR = [connected('k1')];
const SENT = [dispatch(40), event(50, 'TASK_SENT', 's1')];
const ANSWER = entry('sensorEvents', 60, 's1', {
  oid: OID,
  sid: 's1',
  event_type: 'RECEIPT',
  event_id: 'r1',
  occurred_at: T0,
  investigation_id: null,
  task_id: 't1',
  routing: '{}',
  event: '{}',
});
const DONE = [ANSWER, event(70, 'TASK_DONE', 's1')];
const WITHDRAWN = [
  entry('commands', 80, 't1', { ...command, action: 'UNTASK', task: null }),
  event(90, 'TASK_REMOVED', null),
];
const ALL = [...ORG, ...TASK, ...SENSOR, ...SENT, ...DONE];

const judged = (entries: readonly Entry[], untaskedMs?: number) =>
  judge({
    oid: OID,
    entries: inOrder(entries),
    leaseMs: 1_000,
    marginMs: 50,
    nowMs: T0 + 5_000,
    untasked: untaskedMs === undefined ? [] : [{ taskId: 't1', answeredMs: T0 + untaskedMs }],
    rules: { ttlMaxSeconds: 3_600, taskMaxBytes: 1_000 },
  });

describe('the judge of a history', () => {
  it('finds nothing where the promises are kept, and counts', () => {
    const { violations, counts } = judged(ALL);
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({
      tasks: 1,
      sensors: 1,
      deliveries: 1,
      dispatches: 1,
      copies: 0,
      repeats: 0,
      settled: 1,
    });
  });

  it('counts what is appended later than a lease after its claim, and takes it for late, not for wrong', () => {
    const { violations, counts } = judged([...ALL, dispatch(3_000, 65)]);
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ late: 1, repeats: 1 });
  });

  it.each<[string, string, readonly Entry[], number?]>([
    ['I1', 'a due delivery that was not sent', [...ORG, ...TASK, ...SENSOR]],
    ['I2', 'a dispatch that was claimed after the expiry', [...ALL, dispatch(EXPIRY_MS + 10)]],
    ['I3', 'a dispatch after the untask was answered', [...ORG, ...TASK, ...SENSOR, ...WITHDRAWN, dispatch(110)], 100],
    ['I4', 'a dispatch after the acknowledgement', [...ALL, dispatch(500, 400)]],
    ['I5', 'a dispatch over a connection that never was', [...ORG, ...TASK, connected('k2'), ...SENT, ...DONE]],
    ['I6', 'a dispatch to a sensor that the org does not have', [...ORG, ...TASK, ...SENT]],
    ['I6', 'a dispatch of another command', [...ALL, dispatch(45, 45, { task: 'rm' })]],
    ['I7', 'a task without an event', [...ALL.filter((one) => one !== TASK[1])]],
    ['I7', 'a refused command without a dead letter', [...ALL, entry('commands', 15, 't2', null)]],
    ['I8', 'an answer that nobody took', [...ORG, ...TASK, ...SENSOR, ...SENT, ANSWER]],
    ['I8', 'a second event that settles the delivery', [...ALL, event(80, 'TASK_FAILURE', 's1')]],
  ])('finds a breach of %s: %s', (invariant, _what, entries, untaskedMs) => {
    const found = judged(entries, untaskedMs).violations.map((message) => message.replace(/:.*/s, ''));
    expect(new Set(found)).toEqual(new Set([invariant]));
  });
});
