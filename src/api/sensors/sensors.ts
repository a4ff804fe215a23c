/**
 * The sensors of an org in the projection, in pages, with the records that selectors read. Memory never holds all of them. Each sensor
 * comes once, though a scan of Redis may return it twice.
 */
import { nextTurn } from '../../async/next-turn.ts';
import { pagesOf } from '../../async/pages.ts';
import { ApiError } from '../../errors.ts';
import { fromState, type SensorView } from '../../model/sensor.ts';
import type { PresenceRow, StoredSensor } from '../../projector/projection.ts';
import type { SelectorAst } from '../../selector/ast.ts';
import { parseSelector } from '../../selector/language/parse.ts';
import { sidOf } from '../../selector/language/targets.ts';
import type { SelectorRecord } from '../../selector/predicate.ts';
import { recordOf } from '../../selector/sensor/sensor-record.ts';
import { Slices } from '../../selector/slices.ts';
import type { ApiPorts } from '../ports.ts';
import type { Reads } from '../reads.ts';

export type SeenSensor = {
  sid: string;
  hostname: string;
  online: boolean;
  /** Unix ms; null: unknown. */
  enrolledAtMs: number | null;
  record: SelectorRecord;
  /** null: the sensor exists, but nothing else is known. */
  view: SensorView | null;
};

type Source = Pick<ApiPorts, 'nowMs' | 'presencePartitions' | 'presencePartitionOf' | 'decodeState'> & {
  reads: Pick<Reads, 'scanSensors'>;
};

/** For loops over many sensors. */
export const newSlices = (): Slices => new Slices(nextTurn);

/** Pages through the sensors that any of the selectors could match: all, or the partitions of the sids that they name. */
export async function* sensorsFor(
  source: Source,
  oid: string,
  selectors: readonly SelectorAst[],
): AsyncGenerator<SeenSensor[]> {
  for (const partition of partitionsFor(source, selectors)) {
    const seen = new Set<string>();
    for await (const page of pagesOf((cursor) => source.reads.scanSensors(oid, partition, cursor))) {
      const fresh = page.sensors.filter(({ sid }) => !seen.has(sid) && seen.add(sid));
      yield fresh.map((stored) => seenSensor(source, oid, stored));
    }
  }
}

type OneSource = Omit<Source, 'reads'> & { reads: Pick<Reads, 'readSensors'> };
type OneSensor = SeenSensor & { view: SensorView };

/** One sensor of the org as it is now; null: it was never seen, or was forgotten. */
export async function findSensor(source: OneSource, oid: string, sid: string): Promise<OneSensor | null> {
  const [stored] = await source.reads.readSensors(oid, source.presencePartitionOf(sid), [sid]);
  if (!stored?.facts) return null;
  const view = viewOf(source, stored.facts, stored.presence);
  return { ...seenSensor(source, oid, stored), view };
}

/** Like findSensor, but throws `sensor_unknown`. */
export async function knownSensor(source: OneSource, oid: string, sid: string): Promise<OneSensor> {
  const sensor = await findSensor(source, oid, sid);
  if (sensor) return sensor;
  throw new ApiError('sensor_unknown', `The org has no sensor ${sid}: it was never seen, or was forgotten.`);
}

/** The tree of a stored selector; null if it no longer parses: then it matches nothing. */
export function treeOf(selector: string | null): SelectorAst | null {
  try {
    return parseSelector(selector);
  } catch {
    return null;
  }
}

/** The partitions of the sensors that any of the selectors could match: all, or the partitions of the sids that they name. */
export function partitionsFor(
  source: Pick<Source, 'presencePartitions' | 'presencePartitionOf'>,
  selectors: readonly SelectorAst[],
): Iterable<number> {
  const sids = selectors.map(sidOf);
  if (sids.every((sid) => sid !== undefined)) return new Set(sids.map((sid) => source.presencePartitionOf(sid)));
  return Array.from({ length: source.presencePartitions() }, (_, partition) => partition);
}

/** The sensor as stored: its facts and its presence. */
export function viewOf(
  { decodeState }: Pick<Source, 'decodeState'>,
  facts: Buffer,
  presence: PresenceRow | null,
): SensorView {
  const view = fromState(decodeState(facts));
  if (presence === null) return view;
  view.aliveAtMs = Math.max(view.aliveAtMs, presence.aliveAtMs);
  view.online = presence.online;
  view.connectionId = presence.connectionId;
  view.sinceMs = presence.sinceMs;
  return view;
}

function seenSensor(source: Pick<Source, 'decodeState' | 'nowMs'>, oid: string, stored: StoredSensor): SeenSensor {
  const { sid, facts, presence } = stored;
  const online = presence?.online === true;
  if (facts === null) return { sid, hostname: '', online, enrolledAtMs: null, record: { oid, sid }, view: null };
  const view = viewOf(source, facts, presence);
  const record = recordOf(view, source.nowMs());
  return { sid, hostname: view.facts?.hostname ?? '', online, enrolledAtMs: view.facts?.enroll ?? null, record, view };
}
