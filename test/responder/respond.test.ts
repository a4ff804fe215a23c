/** The effects of actions, how often they run, and that no rule stops the others. */
import { describe, expect, it } from 'vitest';
import { DEPTH_MAX } from '../../src/responder/perform.ts';
import { depthOf, ruleId } from '../../src/responder/rule-event.ts';
import { OID } from '../command/orgs.ts';
import { ruleEventOf, World } from './world.ts';

const any = { op: 'exists', path: 'routing/sid', event: 'RECEIPT' };
const request = (action: string, fields: object, rest: object = {}) => ({
  action: 'extension request',
  'extension name': 'ext-reliable-tasking',
  'extension action': action,
  'extension request': fields,
  ...rest,
});

async function ran(actions: object[], event = ruleEventOf({ A: 1 })) {
  const world = new World();
  await world.rule('r', any, actions);
  return world.run(event);
}

describe('actions', () => {
  it('report makes a detection with the event; its templates see the detection', async () => {
    const event = ruleEventOf({ A: 1 });
    const { detections } = await ran(
      [{ action: 'report', name: 'saw {{ .detect.event.A }}', priority: 2, metadata: { by: '{{ .cat }}', n: 1 } }],
      event,
    );
    expect(detections).toMatchObject([{ cat: 'saw 1', priority: 2, sid: 's-1', source: 'dr-general' }]);
    expect(JSON.parse(detections[0]?.body ?? '')).toMatchObject({
      cat: 'saw 1',
      detect: event.view,
      detect_mtd: { by: 'saw 1', n: 1 },
      routing: event.view.routing,
    });
  });

  it('a body that is too large for the topic is written without the event', async () => {
    const numbers = JSON.parse(`[${'1e20,'.repeat(300_000)}1]`) as number[];
    const actions = [
      {
        action: 'report',
        name: '{{ json .detect.event.big }}',
        metadata: {
          a: '{{ json .detect.event.big }}',
          b: ['a', 'b', 'c', 'd', 'e'].map(() => '{{ json .detect.event.big }}'),
        },
      },
      { action: 'output', name: 'o' },
    ];
    const event = ruleEventOf({ big: 'é'.repeat(500_000) }, { eventId: 'e'.repeat(700_000) }, { numbers });
    const { detections, outputs } = await ran(actions, event);
    expect([detections.length, outputs.length]).toEqual([1, 1]);
    for (const { body, ...rest } of [...detections, ...outputs]) {
      expect(Buffer.byteLength(body) + Buffer.byteLength(JSON.stringify(rest))).toBeLessThan(4 * 1024 * 1024 - 10_000);
      expect(JSON.parse(body)).toMatchObject({ too_large: true, routing: { sid: 's-1', event_type: 'RECEIPT' } });
    }
  });

  it('reports that answer reports are limited in number, and large ones more', async () => {
    const world = new World();
    const many = Array.from({ length: 64 }, (_, n) => ({ action: 'report', name: `r${n}` }));
    await world.rule('first', any, many);
    await world.rule('then', { target: 'detection', op: 'exists', path: 'cat' }, many);
    const { detections, faults } = await world.run(ruleEventOf({ A: 1 }));
    expect(detections.length).toBeGreaterThan(900);
    expect(detections.length).toBeLessThanOrEqual(1_000);
    expect(faults[0]?.sentence).toContain('at most 1000 actions');
    const large = await ran(many, ruleEventOf({ A: 'x'.repeat(1_000_000) }));
    expect(large.detections.length).toBeLessThan(20);
    expect(large.faults.length + large.detections.length).toBe(64);
  });

  it('numbers that are too large to count are counted up to the maximum', async () => {
    const suppression = { max_count: 5, period: '1h', count_path: 'event/N' };
    const action = { action: 'report', name: 'a', suppression };
    for (const N of [[1e308, 1e308], JSON.parse('[1e400, -1e400]') as number[]]) {
      const world = new World();
      await world.rule('r', any, [action]);
      await world.run(ruleEventOf({ N }));
      for (const { count } of world.memory.counts.values()) expect(Number.isSafeInteger(count)).toBe(true);
      expect(world.memory.counts.size).toBe(1);
    }
  });

  it('an idempotency key gives one task, and its id carries the depth', async () => {
    const actions = [request('task', { task: '{{ "t" }}', sid: 'routing.sid', idempotency_key: '{{ .routing.sid }}' })];
    const first = await ran(actions);
    const again = await ran(actions);
    expect(first.commands).toHaveLength(1);
    expect(first.commands[0]?.task_id).toBe(again.commands[0]?.task_id);
    expect(depthOf(first.commands[0]?.task_id)).toBe(1);
    expect((await ran(actions, ruleEventOf({}, { depth: DEPTH_MAX }))).commands).toEqual([]);
  });

  it('an empty text is a path to nothing, not to the whole event', async () => {
    const { commands } = await ran([request('task', { task: '{{ "t" }}', sid: '{{ .routing.sid }}', context: '' })]);
    expect(commands).toMatchObject([{ context: null }]);
  });

  it('a platform that comes out empty does not mean every sensor', async () => {
    const { commands, faults } = await ran([request('task', { task: '{{ "t" }}', plat: 'event.NO' })]);
    expect(commands).toEqual([]);
    expect(faults[0]?.sentence).toContain('plat came out empty');
  });

  it('the same event gives the same ids; another event or action gives other ids', async () => {
    const actions = [
      { action: 'report', name: 'a' },
      { action: 'report', name: 'b' },
      request('task', { task: '{{ "t" }}' }),
    ];
    const ids = async (eventId: string) => {
      const { detections, commands } = await ran(actions, ruleEventOf({}, { eventId }));
      return [...detections.map(({ detect_id }) => detect_id), ...commands.map(({ task_id }) => task_id)];
    };
    const first = await ids('e1');
    expect(await ids('e1')).toEqual(first);
    expect(new Set([...first, ...(await ids('e2'))]).size).toBe(6);
  });

  it('a report that is not published is event only by rules on detections', async () => {
    const world = new World();
    await world.rule('inner', any, [{ action: 'report', name: '__quiet' }]);
    await world.rule('outer', { target: 'detection', event: '__quiet', op: 'is', path: 'detect/event/A', value: 1 }, [
      { action: 'report', name: 'loud' },
    ]);
    const { detections } = await world.run(ruleEventOf({ A: 1 }));
    expect(detections.map(({ cat }) => cat)).toEqual(['loud']);
  });

  it('task is sent now, and is a fault if that is not possible', async () => {
    const action = { action: 'task', command: 'history_dump {{ .event.A }}', investigation: 'i' };
    const { commands } = await ran([action]);
    expect(commands).toMatchObject([
      { task: 'history_dump 1', context: 'i', options: '{"direct":true}', selector: 'sid == "s-1"' },
    ]);
    const { commands: none, faults } = await ran([action], ruleEventOf({}, { online: false }));
    expect(none).toEqual([]);
    expect(faults[0]?.sentence).toMatch(/^respond\/0: The event has no \.event\.A/);
  });

  it('tags and isolation change the sensor', async () => {
    const { presence } = await ran([
      { action: 'add tag', tag: 'x', ttl: 60 },
      { action: 'remove tag', tag: 'y' },
      { action: 'isolate network' },
      { action: 'rejoin network' },
    ]);
    expect(presence).toMatchObject([
      { event: 'UPDATED', sensor: null, sid: 's-1', add_tags: [{ tag: 'x', expires_at: 1_760_000_060_000 }] },
      { remove_tags: ['y'] },
      { set_should_isolate: true },
      { set_should_isolate: false },
    ]);
  });

  it('the extension adds, withdraws, tries and acknowledges tasks', async () => {
    const sid = '{{ .routing.sid }}';
    const effects = await ran([
      request('task', { task: '{{ "os_version" }}', sid, context: 'audit-{{ .routing.event_id }}', ttl: 3600 }),
      request('untask', { sid }),
      request('untask', { task_id: '{{ "t9" }}' }),
      request('signal_attempt', { sid }),
      request('signal_received', { sid, inv_id: '{{ "t9" }}' }),
      request('list', { sid }),
    ]);
    expect(effects.faults).toEqual([]);
    expect(effects.commands).toMatchObject([
      { action: 'TASK', task: 'os_version', selector: 'sid == "s-1"', ttl: 3600, issued_by: 'rule:dr-general/r' },
      { action: 'UNTASK', task_id: 't1', untask_selector: 'sid == "s-1"' },
      { action: 'UNTASK', task_id: 't2' },
      { action: 'UNTASK', task_id: 't9', untask_selector: null },
    ]);
    expect(effects.presence).toMatchObject([{ try_now: true, sid: 's-1' }]);
    expect(effects.sensorEvents).toMatchObject([{ event_type: 'RECEIPT', investigation_id: 't9', sid: 's-1' }]);
  });

  it.each([
    ['a target that comes out empty', request('task', { task: '{{ "t" }}', sid: 'routing.nothing' }), /every sensor/],
    [
      'a misspelt target',
      request('task', { task: '{{ "t" }}', tags: '{{ "canary" }}' }),
      /no field "tags": write "tag"/,
    ],
    ['a field of `task` alone', request('untask', { task_id: '{{ "t9" }}', plat: '{{ "linux" }}' }), /no field "plat"/],
    ['a plain text that is a path', request('task', { task: 'os_version' }), /task/],
    ['another extension', { ...request('task', {}), 'extension name': 'ext-other' }, /no extension/],
    ['an action that the extension does not have', request('dance', {}), /no action "dance"/],
    ['a legacy request', { action: 'service request', name: 'reliable-tasking', request: {} }, /convert_rules/],
    ['based on report without a report', request('list', {}, { 'based on report': true }), /No report/],
  ])('%s: a fault with the name of the rule, and the next action runs', async (_name, action, sentence) => {
    const { faults, commands, outputs } = await ran([action, { action: 'output', name: 'o' }]);
    expect(faults).toMatchObject([{ rule: 'dr-general/r', sentence: expect.stringMatching(sentence) }]);
    expect(commands).toEqual([]);
    expect(outputs).toHaveLength(1);
  });

  it('based on report makes the request read the report before it', async () => {
    const { commands } = await ran([
      { action: 'report', name: 'seen', detect_data: { cmd: 'dir_list {{ .detect.event.A }}' } },
      request('task', { task: 'detect_data.cmd' }, { 'based on report': true }),
    ]);
    expect(commands).toMatchObject([{ task: 'dir_list 1', selector: '*' }]);
  });
});

describe('a rule stored without a check of the rights of its actions', () => {
  const ACTING = [
    { action: 'task', command: 'os_version' },
    { action: 'add tag', tag: 'x' },
    { action: 'remove tag', tag: 'y' },
    { action: 'isolate network' },
    { action: 'rejoin network' },
    request('untask', { task_id: '{{ "t9" }}' }),
    request('signal_attempt', { sid: '{{ .routing.sid }}' }),
    request('signal_received', { sid: '{{ .routing.sid }}', inv_id: '{{ "t9" }}' }),
  ];
  const REPORTING = [
    { action: 'report', name: 'seen' },
    { action: 'output', name: 'o' },
  ];
  const effectsOf = ({ commands, presence, sensorEvents }: Awaited<ReturnType<World['run']>>) =>
    commands.length + presence.length + sensorEvents.length;

  it('only reports and sends outputs; the fault of each other action says what to do', async () => {
    const world = new World();
    await world.rule('old', any, [...ACTING, ...REPORTING], {}, null);
    const effects = await world.run(ruleEventOf({}));
    expect([effects.detections.length, effects.outputs.length, effectsOf(effects)]).toEqual([1, 1, 0]);
    expect(effects.faults.map(({ rule }) => rule)).toEqual(ACTING.map(() => 'dr-general/old'));
    for (const [index, { sentence }] of effects.faults.entries())
      expect(sentence).toMatch(new RegExp(`^respond/${index}: .*right sensor\\.(task|tag) .*Store the rule again`));
  });

  it('gets its fault when it is read, before the first event, unless it is disabled or only reports', async () => {
    const world = new World();
    await world.rule('old', any, [...REPORTING, { action: 'add tag', tag: 'x' }], {}, null);
    await world.rule('off', any, ACTING, { enabled: false }, null);
    await world.rule('reports', any, REPORTING, {}, null);
    await world.rule('new', any, ACTING);
    expect(world.rulesets.of(OID).size).toBe(3);
    expect(world.faults).toEqual([expect.stringMatching(/^dr-general\/old: respond\/2: .*right sensor\.tag /)]);
  });

  it('runs only the actions whose right was checked', async () => {
    const world = new World();
    await world.rule('tags', any, ACTING, {}, { name: 'tagger', rights: ['sensor.tag'] });
    const { presence, commands, faults } = await world.run(ruleEventOf({}));
    expect(presence).toMatchObject([{ add_tags: [{ tag: 'x' }] }, { remove_tags: ['y'] }]);
    expect([commands.length, faults.length]).toEqual([0, 6]);
  });

  it('runs completely once it is stored again', async () => {
    const world = new World();
    await world.rule('old', any, ACTING, {}, null);
    expect(effectsOf(await world.run(ruleEventOf({})))).toBe(0);
    await world.rule('old', any, ACTING);
    const effects = await world.run(ruleEventOf({}));
    expect([effectsOf(effects), effects.faults]).toEqual([8, []]);
  });
});

describe('the effects of a batch are limited', () => {
  it('large effects are written before the batch is done', async () => {
    const world = new World();
    await world.rule('r', any, [
      { action: 'report', name: 'a' },
      { action: 'output', name: 'o' },
    ]);
    const event = Array.from({ length: 60 }, () => ruleEventOf({ A: 'x'.repeat(900_000) }));
    const { detections, outputs } = await world.run(...event);
    expect([detections.length, outputs.length]).toEqual([60, 60]);
    const sizes = world.writes.map((write) =>
      [...write.detections, ...write.outputs].reduce((sum, { body }) => sum + body.length, 0),
    );
    expect(Math.max(...sizes)).toBeLessThan(24 * 1024 * 1024);
  });

  it('events are responded to in their order, each together with its reports', async () => {
    const world = new World();
    await world.rule('first', any, [{ action: 'report', name: 'saw {{ .detect.event.A }}' }]);
    await world.rule('then', { target: 'detection', op: 'starts with', path: 'cat', value: 'saw' }, [
      { action: 'report', name: 'then {{ .detect.cat }}' },
    ]);
    const { detections } = await world.run(...[1, 2, 3].map((A) => ruleEventOf({ A })));
    const cats = detections.map(({ cat }) => cat);
    expect(cats).toEqual([1, 2, 3].flatMap((n) => [`saw ${n}`, `then saw ${n}`]));
  });

  it('an untask of all tasks reads them once a batch, runs once for each target, and is a fault above the limit', async () => {
    const world = new World();
    world.pending = Array.from({ length: 12_000 }, (_, n) => `t${n}`);
    await world.rule('r', any, [request('untask', { sid: '{{ .routing.sid }}' })]);
    const event = ['a', 'a', 'b', 'c'].map((sid) => ruleEventOf({}, { sid }, { sid }));
    const { commands, faults } = await world.run(...event);
    const byTarget = Map.groupBy(commands, (command) => command.untask_selector);
    expect([...byTarget].map(([target, mine]) => [target, mine.length])).toEqual([
      ['sid == "a"', 10_000],
      ['sid == "b"', 10_000],
    ]);
    expect(world.pendingAsked).toBe(20);
    expect(faults).toMatchObject([{ rule: 'dr-general/r', sentence: expect.stringContaining('at most 20000 tasks') }]);
  });

  it("entire_device tags all sensors of the device, and the event's own sensor also if it is not known yet", async () => {
    const world = new World();
    world.devices = { d1: ['s-2', 's-3'] };
    const action = { action: 'add tag', tag: 'x', entire_device: true };
    await world.rule('r', any, [action, { action: 'remove tag', tag: 'y', entire_device: true }]);
    const sidsOf = async (did: string) => (await world.run(ruleEventOf({}, { did }))).presence.map(({ sid }) => sid);
    expect(await sidsOf('d1')).toEqual(['s-1', 's-2', 's-3', 's-1', 's-2', 's-3']);
    expect(await sidsOf('')).toEqual(['s-1', 's-1']);
  });
});

describe('which rules run', () => {
  it('enabled rules that have not expired, by the event that they name; changes count at once', async () => {
    const world = new World();
    const output = (name: string) => [{ action: 'output', name }];
    await world.rule('on', any, output('on'));
    await world.rule('off', any, output('off'), { enabled: false });
    await world.rule('over', any, output('over'), { expiry: 1 });
    await world.rule('other', { ...any, event: 'OTHER' }, output('other'));
    await world.rule('all', { op: 'exists', path: 'event' }, output('all'));
    const outputs = async () => (await world.run(ruleEventOf({}))).outputs.map((one) => one.output);
    expect(await outputs()).toEqual(['all', 'on']);
    await world.rule('off', any, output('off'), { enabled: true });
    expect(await outputs()).toEqual(['all', 'off', 'on']);
  });

  it("a lookup gives its key's metadata to templates; a lookup that does not exist is a fault", async () => {
    const world = new World();
    await world.lookup('bad', { evil: { source: 'feed' } });
    await world.rule('r', { op: 'lookup', path: 'event/A', resource: 'hive://lookup/bad' }, [
      { action: 'report', name: 'from {{ .mtd.source }}' },
    ]);
    await world.rule('s', { op: 'lookup', path: 'event/A', resource: 'hive://lookup/gone' }, []);
    const { detections, faults } = await world.run(ruleEventOf({ A: 'evil' }));
    expect(detections.map(({ cat }) => cat)).toEqual(['from feed']);
    expect(faults).toMatchObject([{ rule: 'dr-general/s', sentence: 'There is no lookup "gone".' }]);
  });

  it('rules that answer each other come to an end', async () => {
    const id = ruleId(DEPTH_MAX, 'x');
    const { commands, faults, outputs } = await ran(
      [request('task', { task: '{{ "t" }}' }), { action: 'output', name: 'o' }],
      ruleEventOf({}, { depth: depthOf(id) }),
    );
    expect([commands.length, outputs.length]).toEqual([0, 1]);
    expect(faults[0]?.sentence).toContain('answered each other');
    const { commands: next } = await ran([request('task', { task: '{{ "t" }}' })], ruleEventOf({}, { depth: 3 }));
    expect(depthOf(next[0]?.task_id)).toBe(4);
  });

  it('rules on detections that report again and again come to an end', async () => {
    const world = new World();
    await world.rule('first', any, [{ action: 'report', name: 'x' }]);
    await world.rule('loop', { target: 'detection', op: 'exists', path: 'cat' }, [{ action: 'report', name: 'x' }]);
    const { detections, faults } = await world.run(ruleEventOf({}));
    expect(detections.length).toBeLessThan(10);
    expect(faults.length).toBeGreaterThan(0);
  });
});

describe('suppression', () => {
  it('counts by sensor and keys, within a batch and over batches, and a repeated event once', async () => {
    const world = new World();
    await world.rule('r', any, [
      { action: 'output', name: 'o', suppression: { max_count: 2, period: '1h', keys: ['{{ .event.A }}'] } },
    ]);
    const count = async (...event: ReturnType<typeof ruleEventOf>[]) => (await world.run(...event)).outputs.length;
    const first = ruleEventOf({ A: 1 });
    expect(await count(first, ruleEventOf({ A: 1 }), ruleEventOf({ A: 1 }), ruleEventOf({ A: 2 }))).toBe(3);
    expect(await count(ruleEventOf({ A: 1 }))).toBe(0);
    expect(await count(first)).toBe(1);
    expect(await count(ruleEventOf({ A: 1 }, { sid: 's-2' }))).toBe(1);
  });
});
