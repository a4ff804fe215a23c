/**
 * Records with the fields of some selectors alone, for scans over many sensors: what no clause reads is neither decoded nor
 * put into a record. On these records the selectors answer what they answer on whole ones (recordOf).
 */
import { architectureName, platformName } from '../model/platforms.ts';
import type { SensorFacts, SensorState } from '../model/records.ts';
import { fromState } from '../model/sensor.ts';
import { effectiveTags } from '../model/tags.ts';
import type { SelectorAst, SelectorRecord } from './ast.ts';
import { isSensorField, type SensorFieldName } from './fields.ts';

/** A state of which only the fields asked for are there. */
export type PartState = Pick<SensorState, 'sensor'> & Partial<SensorState>;

/** Which fields of the state, and of the facts in it, have to be decoded for some selectors; and the record from them. */
export type PartPlan = {
  /** Nothing has to be decoded: sid and oid are known without it. */
  readonly isBare: boolean;
  readonly state: readonly (keyof SensorState)[];
  readonly facts: readonly (keyof SensorFacts)[];
  /** `alive` is read: the time of the last presence record, which is kept beside the state. */
  readonly needsPresence: boolean;
  /** `aliveAtMs` from presence, 0 where it is not known. */
  recordOf(oid: string, sid: string, state: PartState | null, aliveAtMs: number, nowMs: number): SelectorRecord;
};

type Value = (facts: SensorFacts, state: SensorState, aliveAtMs: number, nowMs: number) => unknown;
type Part = { facts: readonly (keyof SensorFacts)[]; state: readonly (keyof SensorState)[]; value: Value };

const plain = (name: keyof SensorFacts): Part => ({ facts: [name], state: [], value: (facts) => facts[name] });
const platform = (name: 'plat' | 'ext_plat'): Part => ({ ...plain(name), value: (facts) => platformName(facts[name]) });
const seconds = (ms: number | null | undefined): number | undefined => (ms ? Math.floor(ms / 1000) : undefined);

const PARTS: Record<Exclude<SensorFieldName, 'sid' | 'oid'>, Part> = {
  iid: plain('iid'),
  did: plain('did'),
  hostname: plain('hostname'),
  ext_ip: plain('ext_ip'),
  int_ip: plain('int_ip'),
  mac_addr: plain('mac_addr'),
  isolated: plain('isolated'),
  kernel: plain('kernel'),
  plat: platform('plat'),
  ext_plat: platform('ext_plat'),
  arch: { ...plain('arch'), value: ({ arch }) => architectureName(arch) },
  enroll: {
    ...plain('enroll'),
    value: ({ enroll }) => (enroll === null ? undefined : Math.floor(enroll / 1000)),
  },
  alive: {
    facts: [],
    state: ['alive_at'],
    value: (_facts, { alive_at }, aliveAtMs) => seconds(Math.max(alive_at, aliveAtMs)),
  },
  should_isolate: {
    facts: ['should_isolate'],
    state: ['should_isolate'],
    value: (facts, { should_isolate }) => should_isolate ?? facts.should_isolate,
  },
  tags: {
    facts: ['tags'],
    state: ['platform_tags', 'removed_tags'],
    value: ({ tags }, state, _aliveAtMs, nowMs) =>
      state.platform_tags.length === 0 && state.removed_tags.length === 0
        ? tags
        : effectiveTags(fromState(state), nowMs),
  },
};

export function partPlan(selectors: readonly SelectorAst[]): PartPlan {
  const names = new Set<SensorFieldName>();
  for (const ast of selectors) addFields(ast, names);
  const wanted = [...names].filter((name) => name !== 'sid' && name !== 'oid');
  const parts = wanted.map((name) => ({ name, ...PARTS[name] }));
  return {
    isBare: parts.length === 0,
    state: [...new Set(parts.flatMap(({ state }) => state))],
    facts: [...new Set(parts.flatMap(({ facts }) => facts))],
    needsPresence: names.has('alive'),
    recordOf: (oid, sid, state, aliveAtMs, nowMs) => {
      const record: Record<string, unknown> = { oid, sid };
      const facts = state?.sensor ?? null;
      if (facts === null) return record;
      for (const { name, value } of parts) {
        const found = value(facts, state as SensorState, aliveAtMs, nowMs);
        if (found !== undefined) record[name] = found;
      }
      return record;
    },
  };
}

/** A name that any or all binds may be counted as the field of that name: too much is decoded then, never too little. */
function addFields(node: SelectorAst, names: Set<SensorFieldName>): void {
  if (node.type === 'everything') return;
  if (node.type === 'not') addFields(node.operand, names);
  else if ('operands' in node) for (const operand of node.operands) addFields(operand, names);
  else {
    const [field = ''] = node.path;
    if (isSensorField(field)) names.add(field);
    if (node.type === 'collection') addFields(node.operand, names);
  }
}
