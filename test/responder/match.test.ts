/** The joint work limit of all rules of an org on one event. Work is counted, not measured. */
import { describe, expect, it } from 'vitest';
import { Connections } from '../../src/responder/connections.ts';
import { readRuleEvents } from '../../src/responder/read-events.ts';
import { OID, testOrgs } from '../command/orgs.ts';
import { ruleEventOf, World } from './world.ts';

/** Costs a third of the limit of an event, and does not match. */
const costly = { event: 'RECEIPT', op: 'matches', path: 'event/V', re: 'x[xy]{900}z' };
const LONG = 'x'.repeat(70_000);
const report = (name: string) => [{ action: 'report', name }];
const EXCEEDED = 'The rules of the org exceed their joint work limit on one event';

async function worldOf(rules: number, also: [string, object][] = []): Promise<World> {
  const world = new World();
  for (let i = 0; i < rules; i += 1)
    await world.rule(`r${String(i).padStart(2, '0')}`, { ...costly, re: `${costly.re}${i}` }, report('x'));
  for (const [name, detect] of also) await world.rule(name, detect, report(name));
  return world;
}
const leftOut = (faults: readonly { rule: string; sentence: string }[]) =>
  faults.filter(({ sentence }) => sentence.startsWith(EXCEEDED)).map(({ rule }) => rule);

describe('the rules of an org on one event', () => {
  it('share one budget, and rules that find it exhausted get a fault, while cheap rules run', async () => {
    const cheap = { event: 'RECEIPT', op: 'is', path: 'event/W', value: 'w' };
    const world = await worldOf(25, [['cheap', cheap]]);
    const { faults, detections } = await world.run(ruleEventOf({ V: LONG, W: 'w' }));
    expect(leftOut(faults)).toHaveLength(22);
    expect(faults).toHaveLength(22);
    expect(detections.map(({ cat }) => cat)).toEqual(['cheap']);
  });

  it('do not reduce the budget of the next event, and get one fault a batch', async () => {
    const world = await worldOf(4);
    const events = Array.from({ length: 20 }, () => ruleEventOf({ V: LONG }));
    const { faults } = await world.run(...events);
    expect(new Set(leftOut(faults)).size).toBe(leftOut(faults).length);
    const small = await world.run(ruleEventOf({ V: 'x' }));
    expect(small.faults).toEqual([]);
  });

  it('start with a different rule for each event, so that none always finds the budget exhausted', async () => {
    const world = await worldOf(6);
    const ran = new Set<string>();
    for (let i = 0; i < 40; i += 1) {
      const { faults } = await world.run(ruleEventOf({ V: LONG }, { eventId: `e${i}` }));
      const without = leftOut(faults);
      expect(without).toHaveLength(3);
      for (let rule = 0; rule < 6; rule += 1) if (!without.includes(`dr-general/r0${rule}`)) ran.add(`r0${rule}`);
    }
    expect(ran.size).toBe(6);
    const again = () => world.run(ruleEventOf({ V: LONG }, { eventId: 'e' })).then(({ faults }) => leftOut(faults));
    expect(await again()).toEqual(await again());
  });

  it('act in the order of their names, whichever rule started', async () => {
    const exists = { event: 'RECEIPT', op: 'exists', path: 'event/V' };
    const names = ['a', 'b', 'c', 'd'];
    const world = await worldOf(
      0,
      names.map((name) => [name, exists]),
    );
    for (let i = 0; i < 10; i += 1) {
      const { detections } = await world.run(ruleEventOf({ V: 1 }, { eventId: `e${i}` }));
      expect(detections.map(({ cat }) => cat)).toEqual(names);
    }
  });

  it('share the budget with the rules on the reports that the event leads to', async () => {
    const onReport = {
      target: 'detection',
      event: 'first',
      op: 'matches',
      path: 'detect/event/V',
      re: `${costly.re}r`,
    };
    const world = await worldOf(3, [['first', { event: 'RECEIPT', op: 'exists', path: 'event/V' }]]);
    await world.rule('second', onReport, report('second'));
    const { faults, detections } = await world.run(ruleEventOf({ V: LONG }));
    expect(detections.map(({ cat }) => cat)).toEqual(['first']);
    expect(leftOut(faults)).toEqual(['dr-general/second']);
  });

  it('let other work run in between', async () => {
    const world = await worldOf(3);
    let pauses = 0;
    let isDone = false;
    const running = world.run(...Array.from({ length: 5 }, () => ruleEventOf({ V: LONG }))).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      pauses += 1;
    }
    await running;
    expect(pauses).toBeGreaterThanOrEqual(14);
  });
});

it('an event that is nested too deep for rules, from before the limit, is passed over', async () => {
  const world = await worldOf(0, [['any', { event: 'RECEIPT', op: 'exists', path: 'routing/sid' }]]);
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  const value = (event: string) => ({
    oid: OID,
    sid: 's',
    event_type: 'RECEIPT',
    event_id: event.slice(-9),
    occurred_at: 1,
    task_id: null,
    investigation_id: null,
    routing: '{}',
    event,
  });
  const reader = {
    inbox: {
      decode: async (_: string, records: unknown[]) => records.map((record) => ({ record, ...(record as object) })),
    },
    projection: { readSensors: async () => [], readTasks: async () => [] },
    orgs: { table: testOrgs() },
    clock: { nowMs: () => 1 },
    recordCodec: {},
    rulesets: world.rulesets,
    connections: new Connections(),
  } as unknown as Parameters<typeof readRuleEvents>[0];
  const records = [nested(5_000), nested(64)].map((event) => ({ key: Buffer.from('s'), value: value(event) }));
  const batch = { topic: 'sensorEvents', partition: 0, records } as unknown as Parameters<typeof readRuleEvents>[1];
  const events = [];
  for await (const chunk of readRuleEvents(reader, batch)) events.push(...chunk);
  expect(events).toHaveLength(1);
});
