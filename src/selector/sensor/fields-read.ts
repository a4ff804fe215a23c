/**
 * The fields that some selectors read, for scans over many sensors: other fields are neither decoded nor put into the record. The selectors
 * give the same verdicts on these records as on whole ones (recordOf).
 */
import { architectureName, platformName } from '../../model/platforms.ts';
import type { SensorFacts, SensorState } from '../../model/records.ts';
import { fromState } from '../../model/sensor.ts';
import { effectiveTags } from '../../model/tags.ts';
import type { SelectorAst } from '../ast.ts';
import type { SelectorRecord } from '../predicate.ts';
import { isSensorField, type SensorFieldName } from './fields.ts';

/** A state with only the decoded fields. */
export type PartialState = Pick<SensorState, 'sensor'> & Partial<SensorState>;

export type FieldsRead = {
  /** Only sid and oid are read, so nothing has to be decoded. */
  readonly idsOnly: boolean;
  /** Fields of the state to decode. */
  readonly state: readonly (keyof SensorState)[];
  /** Fields of the facts in the state to decode. */
  readonly facts: readonly (keyof SensorFacts)[];
  /** `alive` is read: the time of the last presence record, which is stored apart from the state. */
  readonly needsPresence: boolean;
  /** `aliveAtMs`: from presence, 0 if unknown. */
  recordOf(oid: string, sid: string, state: PartialState | null, aliveAtMs: number, nowMs: number): SelectorRecord;
};

type Value = (facts: SensorFacts, state: SensorState, aliveAtMs: number, nowMs: number) => unknown;
type Source = { facts: readonly (keyof SensorFacts)[]; state: readonly (keyof SensorState)[]; value: Value };

const plain = (name: keyof SensorFacts): Source => ({ facts: [name], state: [], value: (facts) => facts[name] });
const platform = (name: 'plat' | 'ext_plat'): Source => ({
  ...plain(name),
  value: (facts) => platformName(facts[name]),
});
const seconds = (ms: number | null | undefined): number | undefined => (ms ? Math.floor(ms / 1000) : undefined);

/** What each field is computed from. */
const SOURCES: Record<Exclude<SensorFieldName, 'sid' | 'oid'>, Source> = {
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

export function fieldsRead(selectors: readonly SelectorAst[]): FieldsRead {
  const names = new Set<SensorFieldName>();
  for (const ast of selectors) addFields(ast, names);
  const wanted = [...names].filter((name) => name !== 'sid' && name !== 'oid');
  const sources = wanted.map((name) => ({ name, ...SOURCES[name] }));
  return {
    idsOnly: sources.length === 0,
    state: [...new Set(sources.flatMap(({ state }) => state))],
    facts: [...new Set(sources.flatMap(({ facts }) => facts))],
    needsPresence: names.has('alive'),
    recordOf: (oid, sid, state, aliveAtMs, nowMs) => {
      const record: Record<string, unknown> = { oid, sid };
      const facts = state?.sensor ?? null;
      if (facts === null) return record;
      for (const { name, value } of sources) {
        const found = value(facts, state as SensorState, aliveAtMs, nowMs);
        if (found !== undefined) record[name] = found;
      }
      return record;
    },
  };
}

/** A name that any/all binds counts as the field of that name. So too much may be decoded, but never too little. */
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
