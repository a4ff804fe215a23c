import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SensorFacts, SensorPresence } from '../../src/model/records.ts';
import { fold, fromState, newSensor, toState } from '../../src/model/sensor.ts';
import { effectiveTags, nextTagExpiryMs, TAGS_MAX, tagsAboveLimit } from '../../src/model/tags.ts';

const facts = (change: Partial<SensorFacts> = {}): SensorFacts => ({
  iid: '',
  did: '',
  hostname: 'a',
  ext_ip: '',
  int_ip: '',
  mac_addr: '',
  plat: 0,
  ext_plat: 0,
  arch: 0,
  enroll: null,
  isolated: false,
  should_isolate: false,
  kernel: false,
  tags: ['own'],
  ...change,
});
const record = (change: Partial<SensorPresence>): SensorPresence => ({
  event: 'UPDATED',
  oid: 'o',
  sid: 's',
  connection_id: '',
  occurred_at: 1_000,
  sensor: null,
  add_tags: [],
  remove_tags: [],
  set_should_isolate: null,
  try_now: false,
  ...change,
});
const connected = (connection_id: string, sensor: SensorFacts | null = null) =>
  record({ event: 'CONNECTED', connection_id, sensor });
const disconnected = (connection_id: string) => record({ event: 'DISCONNECTED', connection_id });

function sensorOf(...records: SensorPresence[]) {
  const sensor = newSensor('o', 's');
  const effects = records.map((each) => fold(sensor, each));
  return { sensor, last: effects.at(-1) };
}

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

const tagNames = fc.constantFrom('own', 'x', 'y');
const records = fc.oneof(
  fc.record({
    event: fc.constantFrom('CONNECTED' as const, 'DISCONNECTED' as const),
    connection_id: fc.constantFrom('1', '2', '3'),
    sensor: fc.constantFrom(null, facts(), facts({ hostname: 'b', tags: [] })),
  }),
  fc.record({
    add_tags: fc.uniqueArray(fc.record({ tag: tagNames, expires_at: fc.constantFrom(null, 4_000, 6_000) }), {
      maxLength: 2,
      selector: ({ tag }) => tag,
    }),
    sensor: fc.constantFrom(null, facts({ tags: ['x'] })),
    set_should_isolate: fc.constantFrom(null, true, false),
    try_now: fc.boolean(),
  }),
  fc.record({ remove_tags: fc.array(tagNames, { maxLength: 2 }) }),
);

describe(`a sensor after any records (seed ${seed})`, () => {
  it('is not changed by a record that is repeated at once', () => {
    fc.assert(
      fc.property(fc.array(records, { minLength: 1, maxLength: 12 }), (changes) => {
        const all = changes.map((change, i) => record({ ...change, occurred_at: i }));
        const once = sensorOf(...all);
        const twice = sensorOf(...all, all.at(-1) as SensorPresence);
        expect(twice.sensor).toEqual(once.sensor);
        expect(twice.last).toMatchObject({ changed: false, connected: false, disconnected: false });
      }),
      { seed },
    );
  });

  it('has each tag as last set, removed or reported, and is online if its last connection is open', () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 15 }), (changes) => {
        const said = new Map<string, boolean>();
        let [open, opened, reported]: [string | null, number, string[]] = [null, 0, []];
        const [closed, replaced] = [new Set<string>(), new Set<string>()];
        const times = changes.map((_, i) => (i * 7) % 5);
        for (const [i, change] of changes.entries()) {
          const event = 'event' in change ? change.event : 'UPDATED';
          const id = 'connection_id' in change ? change.connection_id : '';
          const time = times[i] as number;
          const ignored =
            event === 'CONNECTED'
              ? id === open || closed.has(id) || (replaced.has(id) && time <= opened)
              : event === 'DISCONNECTED' && id !== open;
          if (event === 'DISCONNECTED' && (id === open || replaced.has(id))) closed.add(id);
          if (ignored) continue;
          if (event === 'CONNECTED') {
            if (open !== null) replaced.add(open);
            [open, opened] = [id, time];
          }
          if (event === 'DISCONNECTED') [open, opened] = [null, time];
          if ('sensor' in change && change.sensor) reported = change.sensor.tags;
          if ('add_tags' in change)
            for (const { tag, expires_at } of change.add_tags) said.set(tag, expires_at === null || expires_at > 5_000);
          if ('remove_tags' in change) for (const tag of change.remove_tags) said.set(`-${tag}`, true);
          if ('add_tags' in change) for (const { tag } of change.add_tags) said.delete(`-${tag}`);
          if ('remove_tags' in change) for (const tag of change.remove_tags) said.delete(tag);
        }
        const { sensor } = sensorOf(
          ...changes.map((change, i) => record({ ...change, occurred_at: times[i] as number })),
        );
        const expected = ['own', 'x', 'y'].filter(
          (tag) => !said.has(`-${tag}`) && (said.get(tag) === true || reported.includes(tag)),
        );
        expect(effectiveTags(sensor, 5_000).toSorted()).toEqual(expected);
        expect([sensor.online, sensor.online ? sensor.connectionId : null]).toEqual([open !== null, open]);
      }),
      { seed },
    );
  });

  it('does not connect by a copy of an older CONNECTED', () => {
    const at = (occurred_at: number, of: SensorPresence) => ({ ...of, occurred_at });
    const all = [at(1, connected('a')), at(2, disconnected('a')), at(3, connected('b')), at(4, disconnected('b'))];
    expect(sensorOf(...all, all[0] as SensorPresence)).toMatchObject({ sensor: { online: false, connectionId: 'b' } });
    // The same for a newer CONNECTED of a connection that was disconnected.
    expect(sensorOf(...all, at(9, connected('a'))).sensor.online).toBe(false);
    const over = [at(1, connected('a')), at(3, connected('b'))];
    expect(sensorOf(...over, at(1, connected('a'))).sensor.connectionId).toBe('b');
    // Not a copy: it is newer than the connection that replaced it.
    expect(sensorOf(...over, at(4, connected('a'))).sensor.connectionId).toBe('a');
    // A replaced connection that was disconnected cannot open again.
    expect(sensorOf(...over, at(4, disconnected('a')), at(5, connected('a'))).sensor.connectionId).toBe('b');
  });

  it('remembers its last few connections, and since when it is online or offline', () => {
    const ids = Array.from({ length: 50 }, (_, i) => `c${i}`);
    const { sensor } = sensorOf(
      ...ids.flatMap((id, i) => [
        { ...connected(id), occurred_at: 10 * i },
        ...(i % 2 ? [{ ...disconnected(id), occurred_at: 10 * i + 1 }] : []),
      ]),
    );
    expect(sensor.closed).toHaveLength(4);
    expect(sensor.replaced).toHaveLength(4);
    expect(sensor.sinceMs).toBe(491);
  });

  it('knows when its next tag expires', () => {
    const { sensor } = sensorOf(
      record({
        add_tags: [
          { tag: 'a', expires_at: 30 },
          { tag: 'b', expires_at: 20 },
          { tag: 'c', expires_at: null },
        ],
      }),
    );
    expect([0, 19, 20, 30].map((nowMs) => nextTagExpiryMs(sensor, nowMs))).toEqual([
      20,
      20,
      30,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

describe('a sensor', () => {
  it('is online from its CONNECTED until the DISCONNECTED of the same connection', () => {
    expect(sensorOf(connected('1')).sensor.online).toBe(true);
    expect(sensorOf(connected('1'), disconnected('1')).sensor.online).toBe(false);
    expect(sensorOf(connected('1'), disconnected('2')).sensor.online).toBe(true);
    expect(sensorOf(connected('1'), connected('2'), disconnected('1')).sensor.online).toBe(true);
  });

  it('is not changed by a copy of a CONNECTED, nor by a CONNECTED of a closed connection', () => {
    const nothing = {
      changed: false,
      retry: false,
      connected: false,
      disconnected: false,
      forgotten: false,
      ignoredTags: 0,
    };
    expect(sensorOf(connected('1'), connected('1', facts())).last).toEqual(nothing);
    expect(sensorOf(connected('1'), disconnected('1'), connected('1')).last).toEqual(nothing);
    expect(sensorOf(connected('1'), disconnected('1'), connected('1')).sensor.online).toBe(false);
  });

  it('makes its deliveries due by a new connection, and by try_now only while it is online', () => {
    expect(sensorOf(connected('1'), connected('2')).last?.retry).toBe(true);
    expect(sensorOf(connected('1'), record({ try_now: true })).last?.retry).toBe(true);
    expect(sensorOf(record({ try_now: true })).last?.retry).toBe(false);
  });

  it('keeps its facts if a record has none, and reports when they change', () => {
    const { sensor, last } = sensorOf(connected('1', facts({ hostname: 'kept' })), record({ connection_id: '1' }));
    expect(sensor.facts?.hostname).toBe('kept');
    expect(last?.changed).toBe(false);
    expect(sensorOf(connected('1', facts()), record({ sensor: facts({ tags: ['other'] }) })).last?.changed).toBe(true);
  });

  it.each<[string, Partial<SensorPresence>, number]>([
    ['its own record', { connection_id: '1' }, 2_000],
    ['its facts in any record', { sensor: facts() }, 2_000],
    ['a set tag', { add_tags: [{ tag: 't', expires_at: null }] }, 1_000],
    ['a removed tag', { remove_tags: ['own'] }, 1_000],
    ['a request to isolate', { set_should_isolate: true }, 1_000],
    ['a request to try now', { try_now: true }, 1_000],
  ])('counts as alive, or not, after %s', (_what, change, aliveAtMs) => {
    const { sensor } = sensorOf(connected('1', facts()), record({ ...change, occurred_at: 2_000 }));
    expect(sensor.aliveAtMs).toBe(aliveAtMs);
  });

  it('that only the API has tagged was never alive, also after it is loaded from its state', () => {
    const { sensor } = sensorOf(record({ add_tags: [{ tag: 't', expires_at: null }] }));
    expect(fromState(toState(sensor))).toMatchObject({ aliveAtMs: 0, sinceMs: 0, online: false });
  });

  it('is offline since its DISCONNECTED, also after it is loaded from a state that was written later', () => {
    const { sensor } = sensorOf(connected('1', facts()), { ...disconnected('1'), occurred_at: 1_500 });
    fold(sensor, record({ add_tags: [{ tag: 't', expires_at: null }], occurred_at: 9_000 }));
    expect(fromState(toState(sensor)).sinceMs).toBe(1_500);
  });

  it('has the tags that it reports and those set on it, without expired and removed ones', () => {
    const add = (tag: string, expires_at: number | null = null) => record({ add_tags: [{ tag, expires_at }] });
    const remove = (tag: string) => record({ remove_tags: [tag] });
    const tags = (...records: SensorPresence[]) =>
      effectiveTags(sensorOf(connected('1', facts()), ...records).sensor, 5_000).toSorted();
    expect(tags(add('set'))).toEqual(['own', 'set']);
    expect(tags(add('over', 5_000))).toEqual(['own']);
    expect(tags(remove('own'))).toEqual([]);
    expect(tags(remove('own'), record({ sensor: facts() }))).toEqual([]);
    expect(tags(remove('own'), add('own'))).toEqual(['own']);
    expect(tags(add('set'), remove('set'))).toEqual(['own']);
  });

  it('is the same after it is loaded from its state', () => {
    const { sensor } = sensorOf(
      connected('1', facts()),
      record({ add_tags: [{ tag: 't', expires_at: 9 }], remove_tags: ['own'], set_should_isolate: true }),
    );
    expect(fromState(toState(sensor))).toEqual({ ...sensor, confirms: false });
  });
});

describe('tags above the limit', () => {
  const named = (from: number, count: number) => Array.from({ length: count }, (_, i) => `t${from + i}`);
  const added = (tags: string[]) => record({ add_tags: tags.map((tag) => ({ tag, expires_at: null })) });

  it('are ignored, and those below the limit can still change and be removed', () => {
    const { sensor, last } = sensorOf(added(named(0, TAGS_MAX)), added(named(TAGS_MAX, 10)));
    expect(sensor.platformTags.size).toBe(TAGS_MAX);
    expect(last).toMatchObject({ changed: false, ignoredTags: 10 });
    expect(fold(sensor, record({ add_tags: [{ tag: 't0', expires_at: 9_000 }] })).changed).toBe(true);
    expect(fold(sensor, record({ remove_tags: ['t1'] })).changed).toBe(true);
    expect(fold(sensor, added(['new'])).changed).toBe(true);
    expect(effectiveTags(sensor, 1_000)).toContain('new');
    fold(sensor, record({ remove_tags: named(5_000, 2 * TAGS_MAX) }));
    expect(sensor.removedTags.size).toBe(TAGS_MAX);
  });

  it('are known before a change is written', () => {
    const { sensor } = sensorOf(connected('1', facts()), added(named(0, TAGS_MAX - 2)));
    fold(sensor, record({ add_tags: [{ tag: 'short', expires_at: 5_000 }] }));
    const add = (tags: string[]) => ({ add_tags: tags.map((tag) => ({ tag, expires_at: null })) });
    expect(tagsAboveLimit(sensor, add(['a', 'b', 'b', 't0']), 4_000)).toEqual(['b', 'b']);
    expect(tagsAboveLimit(sensor, add(['a', 'b']), 5_000)).toEqual([]);
    fold(sensor, record({ remove_tags: named(5_000, TAGS_MAX) }));
    expect(tagsAboveLimit(sensor, { remove_tags: ['t1', 't5000', 'own', 'x'] }, 4_000)).toEqual(['own', 'x']);
    expect(tagsAboveLimit(sensor, { remove_tags: [] }, 4_000)).toEqual([]);
  });
});
