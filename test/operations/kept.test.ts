/** What Redis keeps beside tasks, pairs and facts, held against the log. */
import { describe, expect, it } from 'vitest';
import type { SensorPresence, TaskEvent } from '../../src/model/records.ts';
import {
  compareConnection,
  compareMinute,
  comparePositions,
  compareResponses,
} from '../../src/operations/compare-kept.ts';
import { LoggedConnections } from '../../src/operations/logged-connections.ts';
import { isCompared, LoggedMinutes } from '../../src/operations/logged-minutes.ts';
import { LoggedResponses } from '../../src/operations/logged-responses.ts';
import { Replay } from '../../src/operations/replay.ts';
import type { InRecord } from '../../src/ports.ts';
import { minuteOf } from '../../src/projector/stats.ts';
import type { Response } from '../../src/responder/responses/responses.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const NOW = 1_800_000_000_000;
const record = (timestampMs: number): InRecord => ({
  topic: 't',
  partition: 2,
  offset: 7,
  key: null,
  value: null,
  headers: {},
  timestampMs,
});
const presence = (event: SensorPresence['event'], connection_id: string): SensorPresence => ({
  event,
  connection_id,
  oid: OID,
  sid: 's',
  occurred_at: NOW,
  sensor: null,
  add_tags: [],
  remove_tags: [],
  set_should_isolate: null,
  try_now: false,
});

describe('connections', () => {
  const connected = (...steps: [SensorPresence['event'], string, number][]): LoggedConnections => {
    const logged = new LoggedConnections();
    for (const [event, connection, atMs] of steps) logged.take(record(atMs), presence(event, connection));
    return logged;
  };
  const online = (connectionId: string) => ({ online: true, connectionId });

  it('are known of sensors that have connected on the log, until they are forgotten', () => {
    expect(connected(['DISCONNECTED', 'a', NOW]).of(OID, 's')).toBeUndefined();
    expect(connected(['CONNECTED', 'a', NOW]).of(OID, 's')).toEqual(online('a'));
    expect(connected(['CONNECTED', 'a', NOW], ['DISCONNECTED', 'a', NOW]).of(OID, 's')?.online).toBe(false);
    expect(connected(['CONNECTED', 'a', NOW], ['FORGOTTEN', '', NOW]).sids(OID, 2)).toEqual([]);
  });

  it('may be those of a moment ago, and not those of a minute ago', () => {
    const moved = connected(
      ['CONNECTED', 'a', NOW - 90_000],
      ['CONNECTED', 'b', NOW - 60_000],
      ['CONNECTED', 'c', NOW - 1_000],
    );
    expect(['a', 'b', 'c'].map((id) => moved.wasRecently(OID, 's', online(id), NOW))).toEqual([false, true, false]);
    expect(moved.wasRecently(OID, 's', online('b'), NOW + 60_000)).toBe(false);
  });

  it.each<[string, Parameters<typeof compareConnection>, number]>([
    ['the same', ['k', online('a'), online('a'), true], 0],
    ['another connection', ['k', online('a'), online('b'), true], 1],
    ['a lost row', ['k', undefined, online('b'), true], 1],
    ['a row of nobody', ['k', online('a'), undefined, false], 1],
    ['a row of a sensor that connected longer ago than the log reaches', ['k', online('a'), undefined, true], 0],
  ])('%s', (_, parts, count) => expect(compareConnection(...parts)).toHaveLength(count));
});

describe('minutes', () => {
  it('have at least what was on the log a look ago, and at most what is there now', () => {
    const differ = (is: number, before: number, now: number) =>
      compareMinute('k', new Map([['q', is]]), new Map([['q', now]]), new Map([['q', before]])).length;
    expect([differ(3, 3, 5), differ(4, 3, 5), differ(5, 3, 5)]).toEqual([0, 0, 0]);
    expect([differ(2, 3, 5), differ(6, 3, 5)]).toEqual([1, 1]);
    expect(compareMinute('k', new Map([['o3', 9]]), new Map(), new Map())).toEqual([]);
  });

  it('are those of the last day', () => {
    const minutes = new LoggedMinutes();
    const event = { type: 'ADD_TASK', oid: OID, task_id: 'a', sid: null, attempt: null, detail: null, event_id: 'e' };
    minutes.take(OID, { offset: 0, event: { ...event, occurred_at: NOW } as TaskEvent }, NOW);
    expect([...minutes.of(OID, minuteOf(NOW))]).toEqual([['q', 1]]);
    expect([isCompared(minuteOf(NOW), NOW), isCompared(minuteOf(NOW - 86_400_000), NOW)]).toEqual([true, false]);
  });
});

describe('responses', () => {
  const response = (eventId: string, offset: number): Response => ({
    sid: 's',
    eventId,
    eventType: 'RECEIPT',
    atMs: NOW,
    partition: 0,
    bytes: 9,
    offset,
  });
  const replay = new Replay(1_000);
  replay.command(record(NOW), {
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
  });
  const logged = new LoggedResponses();
  for (const [eventId, offset, atMs] of [
    ['early', 1, NOW - 1],
    ['one', 2, NOW],
    ['two', 3, NOW],
    ['one', 4, NOW],
    ['next', 9, NOW],
  ] as const)
    logged.take(OID, 'a', response(eventId, offset), atMs);
  const compared = (responses: Response[], complete = true, first = 0) =>
    compareResponses(
      'k',
      { responses, complete },
      logged.of(replay.get(OID, 'a') as NonNullable<ReturnType<Replay['get']>>, new Map([[0, 9]])),
      (one) => logged.has(OID, 'a', one),
      new Map([[0, first]]),
    ).map(({ key }) => key);

  it('are all that came behind the task, and were collected by now, each where it came first', () => {
    expect(compared([response('one', 2), response('two', 3)])).toEqual([]);
    expect(compared([response('one', 2)])).toEqual(['k s two']);
    expect(compared([response('one', 4), response('two', 3)])).toEqual(['k s one']);
    expect(compared([response('one', 2), response('two', 3), response('x', 5)])).toEqual(['k s x']);
  });

  it('may have gone from the topic, or be more than are kept', () => {
    expect(compared([response('one', 2), response('two', 3), response('x', 1)], true, 2)).toEqual([]);
    expect(compared([response('one', 2)], false)).toEqual([]);
  });
});

it('nobody has read what is not written', () => {
  const ends = new Map([[0, 5]]);
  const compared = (live: [number, number][]) => comparePositions('m', (p) => `c:${p}`, new Map(live), ends);
  expect(compared([[0, 5]])).toEqual([]);
  expect(
    compared([
      [0, 6],
      [1, 1],
    ]).map(({ key }) => key),
  ).toEqual(['m c:0', 'm c:1']);
});
