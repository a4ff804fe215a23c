/**
 * Verifies a projection while everything runs. It folds the log into memory, compares the result with Redis key by key, and checks
 * differences again until they are gone or the settle time is over. The remaining differences are reported.
 *
 * The fold needs about as much memory as Redis.
 */
import { pagesOf } from '../async/pages.ts';
import type { SensorState } from '../model/records.ts';
import type { OrgStatus, Projection } from '../projector/projection.ts';
import { compareSensor, compareTask, type Difference, essenceOf, wantedOf } from './compare.ts';
import type { TaskPlaces } from './kept.ts';
import { LogFold, type LogPorts } from './log-fold.ts';
import { type KeptFound, type KeptPorts, KeptVerification } from './verify-kept.ts';

export type VerifyPorts = LogPorts &
  KeptPorts & {
    projection: Pick<Projection, 'pendingIds' | 'endedIds' | 'readTasks' | 'readDeliveries' | 'scanFacts' | 'changes'>;
    /** Encodes the record like the projection. */
    stored(bytes: Buffer): SensorState;
  };

const PAGE = 500;

type Place =
  | { kind: 'task'; oid: string; taskId: string }
  | { kind: 'sensor'; oid: string; partition: number; sid: string }
  | { kind: 'kept'; oid: string; name: string };
export type Found = { place: Place; differences: Difference[] };

export class Verification {
  readonly log: LogFold;
  readonly #ports: VerifyPorts;
  readonly #kept: KeptVerification;
  readonly #compared = { tasks: 0, deliveries: 0, sensors: 0 };

  constructor(ports: VerifyPorts) {
    const log = new LogFold(ports);
    this.log = log;
    this.#ports = ports;
    this.#kept = new KeptVerification(ports, {
      connections: log.connections,
      minutes: log.minutes,
      responses: log.responses,
      wanted: (oid, taskId, nowMs) => wantedOf(log.task(oid, taskId), nowMs),
      isSensor: (oid, sid) => log.sensors.has(`${oid}/${sid}`),
    });
  }

  get compared() {
    return { ...this.#compared, ...this.#kept.compared };
  }

  /** All current differences of an org, without presence partitions whose sensors no joiner has written yet. */
  async compareOrg(oid: string, status: OrgStatus): Promise<Found[]> {
    this.log.trim(status.nowMs);
    const indexed = [...(await this.#ids('pendingIds', oid)), ...(await this.#ids('endedIds', oid))];
    const ids = [
      ...new Set([...indexed, ...this.log.taskIds(oid), ...this.#kept.ids(oid, 't'), ...this.#kept.ids(oid, 'p')]),
    ];
    const found: Found[] = [];
    for (let at = 0; at < ids.length; at += PAGE)
      found.push(...(await this.#compareTasks(oid, ids.slice(at, at + PAGE), status.nowMs)));
    for (const partition of status.presenceOffsets.keys()) found.push(...(await this.#compareSensors(oid, partition)));
    found.push(...keptFound(oid, await this.#kept.look(oid, status)));
    return found;
  }

  /** Lists all keys, including keys that the log does not know. Call it once, before the first org. */
  async readNames(oids: readonly string[]): Promise<void> {
    await this.#kept.readNames(oids);
  }

  async #ids(which: 'pendingIds' | 'endedIds', oid: string): Promise<Set<string>> {
    const all = new Set<string>();
    for await (const { ids } of pagesOf((cursor) => this.#ports.projection[which](oid, PAGE, cursor)))
      for (const id of ids) all.add(id);
    return all;
  }

  async #compareTasks(oid: string, ids: string[], nowMs: number): Promise<Found[]> {
    const { projection, kept } = this.#ports;
    const [records, places] = [await projection.readTasks(oid, ids), await kept.places(oid, ids)];
    const found: Found[] = [];
    for (const [i, taskId] of ids.entries()) {
      const record = records[i] ?? null;
      const deliveries = record ? await projection.readDeliveries(oid, taskId) : new Map();
      const live = { record, deliveries, places: places[i] as TaskPlaces };
      this.#compared.tasks += 1;
      this.#compared.deliveries += deliveries.size;
      const differences = compareTask(oid, taskId, live, this.log.task(oid, taskId), nowMs);
      if (differences.length > 0) found.push({ place: { kind: 'task', oid, taskId }, differences });
    }
    return found;
  }

  async #compareSensors(oid: string, partition: number): Promise<Found[]> {
    const live = new Map<string, string>();
    for await (const page of pagesOf((cursor) => this.#ports.projection.scanFacts(oid, partition, cursor)))
      for (const { sid, facts } of page.sensors)
        live.set(sid, essenceOf(this.#ports.stored(facts), this.#ports.nowMs()));
    const logged = new Map<string, string>();
    for (const sensor of this.log.sensors.values())
      if (sensor.oid === oid && sensor.partition === partition) logged.set(sensor.sid, sensor.essence);
    this.#compared.sensors += live.size;
    return [...new Set([...live.keys(), ...logged.keys()])].flatMap((sid) => {
      const differences = compareSensor(oid, partition, sid, live.get(sid), logged.get(sid));
      return differences.length === 0 ? [] : [{ place: { kind: 'sensor' as const, oid, partition, sid }, differences }];
    });
  }

  /** Checks differences again. */
  async again(found: readonly Found[], statuses: ReadonlyMap<string, OrgStatus>): Promise<Found[]> {
    const still: Found[] = [];
    for (const [oid, ours] of Map.groupBy(found, ({ place }) => place.oid)) {
      const status = statuses.get(oid);
      if (!status) continue;
      const ids = ours.flatMap(({ place }) => (place.kind === 'task' ? [place.taskId] : []));
      const partitions = new Set(ours.flatMap(({ place }) => (place.kind === 'sensor' ? [place.partition] : [])));
      if (ids.length > 0) still.push(...(await this.#compareTasks(oid, ids, status.nowMs)));
      const names = new Set(ours.flatMap(({ place }) => (place.kind === 'kept' ? [place.name] : [])));
      still.push(...keptFound(oid, await this.#kept.again(oid, status, names)));
      const sids = new Set(ours.flatMap(({ place }) => (place.kind === 'sensor' ? [place.sid] : [])));
      for (const partition of partitions)
        still.push(
          ...(await this.#compareSensors(oid, partition)).filter(
            ({ place }) => place.kind === 'sensor' && sids.has(place.sid),
          ),
        );
    }
    return still;
  }
}

const keptFound = (oid: string, found: readonly KeptFound[]): Found[] =>
  found.map(({ name, differences }) => ({ place: { kind: 'kept', oid, name }, differences }));
