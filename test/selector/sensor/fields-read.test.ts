import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/edges/avro/codec.ts';
import { RECORD_NAMES, type RecordName, type SensorFacts, type SensorState } from '../../../src/model/records.ts';
import { fromState } from '../../../src/model/sensor.ts';
import { compileSelector } from '../../../src/selector/evaluate/compile.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';
import { fieldsRead } from '../../../src/selector/sensor/fields-read.ts';
import { recordOf } from '../../../src/selector/sensor/sensor-record.ts';
import { trees } from '../expressions.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const NOW = 1_700_000_000_000;

const topicOf = Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>;
const codec = createCodec({ topicOf });

const word = fc.constantFrom('', 'linux', 'web', 'vip', 'prod', '10.3.0.7');
const when = fc.constantFrom(0, NOW - 1, NOW, NOW + 1);
const code = fc.constantFrom(0, 2, 0x10000000, 0x20000000, -0x10000000);
const facts: fc.Arbitrary<SensorFacts> = fc.record({
  iid: word,
  did: word,
  hostname: word,
  ext_ip: word,
  int_ip: word,
  mac_addr: word,
  plat: code,
  ext_plat: code,
  arch: code,
  enroll: fc.option(when),
  isolated: fc.boolean(),
  should_isolate: fc.boolean(),
  kernel: fc.boolean(),
  tags: fc.array(word, { maxLength: 3 }),
});
const states: fc.Arbitrary<SensorState> = fc.record({
  oid: fc.constant('o'),
  sid: fc.constant('s'),
  sensor: fc.option(facts),
  platform_tags: fc.array(fc.record({ tag: word, expires_at: fc.option(when) }), { maxLength: 3 }),
  removed_tags: fc.array(word, { maxLength: 2 }),
  should_isolate: fc.option(fc.boolean()),
  alive_at: when,
  connection_id: fc.constant(null),
});

/** The state as a decoder of these fields returns it. */
function partOf(bytes: Buffer, plan: ReturnType<typeof fieldsRead>) {
  return plan.idsOnly ? null : codec.decoder('SensorState', ['sensor', ...plan.state], { sensor: plan.facts })(bytes);
}

describe(`records with only the fields that a selector reads (seed ${seed})`, () => {
  it('give the same verdict as whole records', () => {
    fc.assert(
      fc.property(trees, states, when, (tree, state, aliveAtMs) => {
        const view = fromState(state);
        view.aliveAtMs = Math.max(view.aliveAtMs, aliveAtMs);
        const plan = fieldsRead([tree]);
        const part = plan.recordOf('o', 's', partOf(codec.encode('SensorState', state), plan), aliveAtMs, NOW);
        const matches = compileSelector(tree);
        expect(matches(part)).toBe(matches(recordOf(view, NOW)));
      }),
      { seed, numRuns: 500 },
    );
  });

  it('have the same fields as whole records', () => {
    const all =
      'iid did hostname ext_ip int_ip mac_addr isolated kernel plat ext_plat arch enroll alive should_isolate tags';
    const plan = fieldsRead(all.split(' ').map((name) => parseSelector(`${name} is nil`)));
    fc.assert(
      fc.property(states, when, (state, aliveAtMs) => {
        const view = fromState(state);
        view.aliveAtMs = Math.max(view.aliveAtMs, aliveAtMs);
        const part = plan.recordOf('o', 's', partOf(codec.encode('SensorState', state), plan), aliveAtMs, NOW);
        expect({ ...part }).toEqual(recordOf(view, NOW));
      }),
      { seed, numRuns: 200 },
    );
  });

  it('decode nothing for a sid, and need presence only for alive', () => {
    const of = (text: string) => fieldsRead([parseSelector(text)]);
    expect(of('sid == a or oid == b').idsOnly).toBe(true);
    expect(of('*').idsOnly).toBe(true);
    expect(of('not (any tags as t { t == vip })')).toMatchObject({
      idsOnly: false,
      facts: ['tags'],
      state: ['platform_tags', 'removed_tags'],
      needsPresence: false,
    });
    expect(of('alive != 1 or plat == linux')).toMatchObject({ needsPresence: true, facts: ['plat'] });
  });
});
