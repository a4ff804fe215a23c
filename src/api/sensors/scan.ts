/**
 * A fast pass over the sensors of an org: partitions in parallel, each one page ahead, and only the fields decoded that the selectors
 * read. The caller folds the pages. Only the ids of sensors are remembered, since a scan of Redis may return a sensor twice.
 */
import { pagesAheadOf } from '../../async/pages.ts';
import type { PresenceRow, StoredFacts } from '../../projector/projection.ts';
import type { SelectorAst } from '../../selector/ast.ts';
import { compileSelector } from '../../selector/evaluate/compile.ts';
import type { SelectorRecord } from '../../selector/predicate.ts';
import { fieldsRead } from '../../selector/sensor/fields-read.ts';
import type { ApiPorts } from '../ports.ts';
import type { Reads } from '../reads.ts';
import { newSlices, partitionsFor } from './sensors.ts';

export type ScanSource = Pick<ApiPorts, 'nowMs' | 'presencePartitions' | 'presencePartitionOf' | 'stateReader'> & {
  reads: Pick<Reads, 'scanFacts' | 'readPresence'>;
};

/** `facts` are the bytes as stored; `record` holds what the selectors read, and sid and oid. */
export type ScannedSensor = { sid: string; facts: Buffer; record: SelectorRecord };

export type ScannedPage = {
  sensors: ScannedSensor[];
  /** Presence of some sensors of this page, in their order. */
  presenceOf(sids: readonly string[]): Promise<(PresenceRow | null)[]>;
};

const PARTITIONS_AT_ONCE = 8;
const NO_RECORD: SelectorRecord = {};

/** Calls `handle` with every sensor that any of `within` could match, once, with the fields that `selectors` read. */
export async function scanSensors(
  source: ScanSource,
  oid: string,
  within: readonly SelectorAst[],
  selectors: readonly SelectorAst[],
  handle: (page: ScannedPage) => void | Promise<void>,
): Promise<void> {
  const plan = fieldsRead(selectors);
  const read = plan.idsOnly ? () => null : source.stateReader(plan);
  const left = [...partitionsFor(source, within)].reverse();
  const scanOne = async (partition: number): Promise<void> => {
    const presenceOf = (sids: readonly string[]) => source.reads.readPresence(oid, partition, sids);
    const seen = new Set<string>();
    for await (const page of pagesAheadOf((cursor) => source.reads.scanFacts(oid, partition, cursor))) {
      const fresh = withoutSeen(page.sensors, seen);
      const presence = plan.needsPresence ? await presenceOf(fresh.map(({ sid }) => sid)) : [];
      const nowMs = source.nowMs();
      for (const [i, sensor] of fresh.entries())
        sensor.record = plan.recordOf(oid, sensor.sid, read(sensor.facts), presence[i]?.aliveAtMs ?? 0, nowMs);
      await handle({ sensors: fresh, presenceOf });
    }
  };
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await scanOne(next);
  };
  await Promise.all(Array.from({ length: PARTITIONS_AT_ONCE }, worker));
}

/** The sensors that are not in `seen` yet, with one lookup for each. Their records are filled in later. */
function withoutSeen(page: readonly StoredFacts[], seen: Set<string>): ScannedSensor[] {
  const fresh: ScannedSensor[] = [];
  for (const { sid, facts } of page) {
    const before = seen.size;
    if (seen.add(sid).size > before) fresh.push({ sid, facts, record: NO_RECORD });
  }
  return fresh;
}

/** How many sensors a selector matches now, and how many of them are online. */
export async function countMatching(
  source: ScanSource,
  oid: string,
  ast: SelectorAst,
): Promise<{ matched: number; online: number }> {
  const total = { matched: 0, online: 0 };
  const matches = compileSelector(ast);
  const slices = newSlices();
  await scanSensors(source, oid, [ast], [ast], async ({ sensors, presenceOf }) => {
    const matching = await slices.filter(sensors, ({ record }) => matches(record) === true);
    const sids = matching.map(({ sid }) => sid);
    total.matched += sids.length;
    for (const row of await presenceOf(sids)) if (row?.online) total.online += 1;
  });
  return total;
}
