/**
 * Verifies a projection while everything runs: follows the log into a fold of its own, compares it with Redis key by key, and
 * looks again at what differed until it agrees or the time to settle is over. What differs then, differs.
 *
 * The fold is in memory: about as much as Redis holds.
 */
import type { CommandRules } from '../command/check.ts';
import type { RecordName, RecordTypes, SensorState } from '../model/records.ts';
import type { InRecord } from '../outbox.ts';
import type { Decoded } from '../ports.ts';
import { judgeEvents } from '../projection/events.ts';
import { judge } from '../projection/project.ts';
import { readStates } from '../projection/states.ts';
import type { OrgStatus, Projection } from '../projection/store.ts';
import type { TopicKey } from '../topics.ts';
import { compareSensor, compareTask, type Difference, essenceOf } from './compare.ts';
import { letterOf } from './letters.ts';
import { Replay } from './replay.ts';

export type VerifyPorts = {
  projection: Pick<Projection, 'status' | 'pendingIds' | 'endedIds' | 'readTasks' | 'readPairs' | 'scanSensors'>;
  decode<N extends RecordName>(name: N, records: InRecord[]): Promise<Decoded<RecordTypes[N]>[]>;
  /** The record as the projection stores it. */
  stored(bytes: Buffer): SensorState;
  rules: CommandRules;
  prefix: string;
  retentionMs: number;
  nowMs(): number;
};

/** The topics to follow from their beginning, in this order: what was refused is known before it is met. */
export const VERIFIED_TOPICS = ['deadLetter', 'taskEvents', 'commands', 'sensorState'] as const satisfies TopicKey[];
export type VerifiedTopic = (typeof VERIFIED_TOPICS)[number];

/** So young a record may have been refused without that being on `dead-letter` yet: it is judged here. Milliseconds. */
const YOUNG_MS = 60_000;
const PAGE = 500;

type Place =
  | { kind: 'task'; oid: string; taskId: string }
  | { kind: 'sensor'; oid: string; partition: number; sid: string };
export type Found = { place: Place; differences: Difference[] };

export class Verification {
  readonly replay: Replay;
  readonly #ports: VerifyPorts;
  readonly #refused = new Set<string>();
  /** `oid/sid` -> partition and essence. */
  readonly #sensors = new Map<string, { oid: string; sid: string; partition: number; essence: string }>();
  compared = { tasks: 0, pairs: 0, sensors: 0 };

  constructor(ports: VerifyPorts) {
    this.#ports = ports;
    this.replay = new Replay(ports.retentionMs);
  }

  /** Takes in records of a topic, in order. */
  async take(topic: VerifiedTopic, records: InRecord[]): Promise<void> {
    const { decode, rules, prefix, nowMs } = this.#ports;
    if (topic === 'deadLetter') {
      for (const record of records) {
        const letter = letterOf(record, prefix);
        if (letter?.topicKey === 'commands') this.#refused.add(`${letter.partition}/${letter.offset}`);
      }
    } else if (topic === 'taskEvents') {
      for (const { event } of judgeEvents(await decode('TaskEvent', records)).events) this.replay.event(event);
    } else if (topic === 'commands') {
      const replayed = ({ partition, offset, timestampMs }: InRecord) => {
        const refused = this.#refused.has(`${partition}/${offset}`);
        return refused || nowMs() - timestampMs > YOUNG_MS ? { refused } : null;
      };
      for (const { record, command } of judge(await decode('TaskCommand', records), rules, replayed).steps)
        this.replay.command(record, command);
    } else await this.#takeStates(records);
  }

  async #takeStates(records: InRecord[]): Promise<void> {
    for (const { record, state } of await readStates(this.#ports, records)) {
      const name = String(record.key);
      if (state === null) {
        this.#sensors.delete(name);
        continue;
      }
      const { oid, sid } = state;
      const essence = essenceOf(state, this.#ports.nowMs());
      this.#sensors.set(name, { oid, sid, partition: record.partition, essence });
    }
  }

  /** All that differs now in one org. Partitions of presence whose sensors no joiner has uploaded are left out. */
  async compareOrg(oid: string, status: OrgStatus): Promise<Found[]> {
    this.replay.trim(status.nowMs);
    const [pending, ended] = [await this.#ids('pendingIds', oid), await this.#ids('endedIds', oid)];
    const logged = [...this.replay.tasks.values()].filter((task) => task.oid === oid).map(({ taskId }) => taskId);
    const ids = [...new Set([...pending, ...ended, ...logged])];
    const found: Found[] = [];
    for (let at = 0; at < ids.length; at += PAGE)
      found.push(...(await this.#compareTasks(oid, ids.slice(at, at + PAGE), pending, ended, status.nowMs)));
    for (const partition of status.presenceOffsets.keys()) found.push(...(await this.#compareSensors(oid, partition)));
    return found;
  }

  async #ids(which: 'pendingIds' | 'endedIds', oid: string): Promise<Set<string>> {
    const all = new Set<string>();
    let after: string | null = null;
    do {
      const page: { ids: string[]; next: string | null } = await this.#ports.projection[which](oid, PAGE, after);
      for (const id of page.ids) all.add(id);
      after = page.next;
    } while (after !== null);
    return all;
  }

  async #compareTasks(oid: string, ids: string[], pending: Set<string>, ended: Set<string>, nowMs: number) {
    const { projection } = this.#ports;
    const records = await projection.readTasks(oid, ids);
    const found: Found[] = [];
    for (const [i, taskId] of ids.entries()) {
      const record = records[i] ?? null;
      const pairs = record ? await projection.readPairs(oid, taskId) : new Map();
      const live = { record, pairs, pending: pending.has(taskId), ended: ended.has(taskId) };
      this.compared.tasks += 1;
      this.compared.pairs += pairs.size;
      const logged = this.replay.get(oid, taskId);
      const refused = logged !== undefined && this.#refused.has(`${logged.partition}/${logged.offset}`);
      const differences = compareTask(oid, taskId, live, refused ? undefined : logged, nowMs);
      if (differences.length > 0) found.push({ place: { kind: 'task', oid, taskId }, differences });
    }
    return found;
  }

  async #compareSensors(oid: string, partition: number): Promise<Found[]> {
    const live = new Map<string, string>();
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Projection['scanSensors']>> = await this.#ports.projection.scanSensors(
        oid,
        partition,
        cursor,
      );
      for (const { sid, facts } of page.sensors)
        if (facts) live.set(sid, essenceOf(this.#ports.stored(facts), this.#ports.nowMs()));
      cursor = page.next;
    } while (cursor !== null);
    const logged = new Map<string, string>();
    for (const sensor of this.#sensors.values())
      if (sensor.oid === oid && sensor.partition === partition) logged.set(sensor.sid, sensor.essence);
    this.compared.sensors += live.size;
    return [...new Set([...live.keys(), ...logged.keys()])].flatMap((sid) => {
      const differences = compareSensor(oid, partition, sid, live.get(sid), logged.get(sid));
      return differences.length === 0 ? [] : [{ place: { kind: 'sensor' as const, oid, partition, sid }, differences }];
    });
  }

  /** Looks again at what differed. */
  async again(found: readonly Found[], statuses: ReadonlyMap<string, OrgStatus>): Promise<Found[]> {
    const still: Found[] = [];
    for (const [oid, ours] of Map.groupBy(found, ({ place }) => place.oid)) {
      const status = statuses.get(oid);
      if (!status) continue;
      const ids = ours.flatMap(({ place }) => (place.kind === 'task' ? [place.taskId] : []));
      const partitions = new Set(ours.flatMap(({ place }) => (place.kind === 'sensor' ? [place.partition] : [])));
      if (ids.length > 0) {
        const [pending, ended] = [await this.#ids('pendingIds', oid), await this.#ids('endedIds', oid)];
        still.push(...(await this.#compareTasks(oid, ids, pending, ended, status.nowMs)));
      }
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
