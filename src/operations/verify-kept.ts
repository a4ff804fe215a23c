/**
 * Verifies what Redis has beside tasks, deliveries and facts: connections, responses, minutes, the list of changes, and positions.
 * It reads Redis first and then the log to its end, so everything in Redis must be on the log.
 */
import type { OrgStatus, Projection } from '../projector/projection.ts';
import type { TopicKey } from '../topics.ts';
import type { Difference } from './compare.ts';
import { compareConnection, compareMinute, comparePositions, compareResponses } from './compare-kept.ts';
import type { Kept, Positions } from './kept.ts';
import type { LoggedConnections } from './logged-connections.ts';
import { isCompared, type LoggedMinutes } from './logged-minutes.ts';
import type { LoggedResponses } from './logged-responses.ts';
import type { LoggedTask } from './replay.ts';

export type KeptPorts = {
  kept: Kept;
  projection: Pick<Projection, 'changes'>;
  /** Resolves when all current records of the topics have been read. */
  catchUp(): Promise<void>;
  /** First offsets of a topic, and positions up to which it was read. */
  first(topic: TopicKey): Positions;
  reached(topic: TopicKey): Positions;
  nowMs(): number;
};

export type Logged = {
  connections: LoggedConnections;
  minutes: LoggedMinutes;
  responses: LoggedResponses;
  /** The expected task in Redis; null: ended or never existed; undefined: about to end, so not compared. */
  wanted(oid: string, taskId: string, nowMs: number): LoggedTask | null | undefined;
  isSensor(oid: string, sid: string): boolean;
};

/** `name`: what to check again. */
export type KeptFound = { name: string; differences: Difference[] };
type Part = (oid: string, status: OrgStatus, isWanted: (name: string) => boolean) => Promise<KeptFound[]>;

/** Fewer than Redis keeps: some can be trimmed between the two reads. */
const CHANGES = 960;

export class KeptVerification {
  readonly compared = { connections: 0, responses: 0, minutes: 0 };
  readonly #ports: KeptPorts;
  readonly #logged: Logged;
  /** oid to kind to ids of keys. */
  readonly #names = new Map<string, Map<string, Set<string>>>();
  /** `oid minute` to the counts of the log at the previous check. */
  readonly #minutesBefore = new Map<string, Map<string, number>>();
  readonly #parts: Readonly<Record<string, Part>> = {
    m: (oid, status) => this.#positions(oid, status),
    o: (...look) => this.#connections(...look),
    rs: (...look) => this.#responses(...look),
    sm: (oid, _status, isWanted) => this.#minutes(oid, isWanted),
    log: (...look) => this.#changes(...look),
  };

  constructor(ports: KeptPorts, logged: Logged) {
    this.#ports = ports;
    this.#logged = logged;
  }

  /** Lists all keys. This finds keys that the log does not know. */
  async readNames(oids: readonly string[]): Promise<void> {
    for await (const page of this.#ports.kept.names(new Set(oids)))
      for (const { oid, kind, id } of page) {
        const kinds = this.#names.get(oid) ?? new Map<string, Set<string>>();
        this.#names.set(oid, kinds);
        kinds.set(kind, (kinds.get(kind) ?? new Set()).add(id));
      }
  }

  ids(oid: string, kind: string): ReadonlySet<string> {
    return this.#names.get(oid)?.get(kind) ?? new Set();
  }

  async look(oid: string, status: OrgStatus): Promise<KeptFound[]> {
    const found: KeptFound[] = [];
    for (const part of Object.values(this.#parts)) found.push(...(await part(oid, status, () => true)));
    return found.filter(({ differences }) => differences.length > 0);
  }

  /** Checks these names again. */
  async again(oid: string, status: OrgStatus, names: ReadonlySet<string>): Promise<KeptFound[]> {
    const found: KeptFound[] = [];
    for (const [kind, part] of Object.entries(this.#parts))
      if ([...names].some((name) => name.startsWith(`${kind} `)))
        found.push(...(await part(oid, status, (name) => names.has(name))));
    return found.filter(({ name, differences }) => names.has(name) && differences.length > 0);
  }

  async #positions(oid: string, status: OrgStatus): Promise<KeptFound[]> {
    const { kept, catchUp, reached } = this.#ports;
    const { counted, collected } = await kept.positions(oid);
    await catchUp();
    const rows: [string, (partition: number) => string, Positions, TopicKey][] = [
      ['m', (partition) => `c:${partition}`, status.commandOffsets, 'commands'],
      ['m', (partition) => `t:${partition}`, status.eventOffsets, 'taskEvents'],
      ['m', (partition) => `s:${partition}`, status.presenceOffsets, 'presence'],
      ['sp', String, counted, 'taskEvents'],
      ['rp', String, collected, 'sensorEvents'],
    ];
    const differences = rows.flatMap(([key, field, live, topic]) =>
      comparePositions(`{${oid}}:${key}`, field, live, reached(topic)),
    );
    return [{ name: 'm positions', differences }];
  }

  async #connections(oid: string, status: OrgStatus, isWanted: (name: string) => boolean): Promise<KeptFound[]> {
    const { kept, catchUp, nowMs } = this.#ports;
    const { connections, isSensor } = this.#logged;
    const found: KeptFound[] = [];
    for (const partition of status.presenceOffsets.keys()) {
      const live = await kept.connections(oid, partition);
      await catchUp();
      this.compared.connections += live.size;
      for (const sid of new Set([...live.keys(), ...connections.sids(oid, partition)])) {
        const [is, name] = [live.get(sid), `o ${partition} ${sid}`];
        if (!isWanted(name) || (is && connections.wasRecently(oid, sid, is, nowMs()))) continue;
        const key = `{${oid}}:o:${partition} ${sid}`;
        const differences = compareConnection(key, is, connections.of(oid, sid), isSensor(oid, sid));
        found.push({ name, differences });
      }
    }
    return found;
  }

  async #responses(oid: string, status: OrgStatus, isWanted: (name: string) => boolean): Promise<KeptFound[]> {
    const { kept, catchUp, first } = this.#ports;
    const { responses, wanted } = this.#logged;
    const ids = [...new Set([...this.ids(oid, 'rs'), ...responses.tasks(oid)])].filter((id) => isWanted(`rs ${id}`));
    const { collected } = await kept.positions(oid);
    const live = new Map<string, Awaited<ReturnType<Kept['responses']>>>();
    for (const id of ids) live.set(id, await kept.responses(oid, id));
    await catchUp();
    const found: KeptFound[] = [];
    for (const [id, is] of live) {
      const task = wanted(oid, id, status.nowMs);
      if (task === undefined) continue;
      this.compared.responses += is.responses.length;
      const key = `{${oid}}:rs:${id}`;
      const differences = task
        ? compareResponses(
            ...([key, is, responses.of(task, collected)] as const),
            (response) => responses.has(oid, id, response),
            first('sensorEvents'),
          )
        : is.responses.slice(0, 1).map(() => ({ key, redis: `${is.responses.length} responses`, log: 'no such task' }));
      found.push({ name: `rs ${id}`, differences });
    }
    return found;
  }

  async #minutes(oid: string, isWanted: (name: string) => boolean): Promise<KeptFound[]> {
    const { kept, catchUp, nowMs } = this.#ports;
    const { minutes } = this.#logged;
    const all = new Set([...[...this.ids(oid, 'sm')].map(Number), ...minutes.minutes(oid)]);
    const ours = [...all].filter((minute) => isCompared(minute, nowMs()) && isWanted(`sm ${minute}`));
    const live = await kept.minutes(oid, ours);
    await catchUp();
    this.compared.minutes += ours.length;
    return ours.map((minute, i) => {
      const now = minutes.of(oid, minute);
      const before = this.#minutesBefore.get(`${oid} ${minute}`) ?? now;
      this.#minutesBefore.set(`${oid} ${minute}`, now);
      const differences = compareMinute(`{${oid}}:sm:${minute}`, live[i] ?? new Map(), now, before);
      return { name: `sm ${minute}`, differences };
    });
  }

  /** The last change of each task must be its last state on the log. */
  async #changes(oid: string, { epoch, version, nowMs }: OrgStatus, isWanted: (name: string) => boolean) {
    const { projection, catchUp } = this.#ports;
    const answer = await projection.changes(oid, epoch, Math.max(0, version - CHANGES));
    await catchUp();
    const key = `{${oid}}:log`;
    if (!answer.ok) return [];
    if (answer.changes === 'reload')
      return [{ name: 'log whole', differences: [{ key, redis: 'shorter than the count of changes', log: 'whole' }] }];
    const last = new Map(answer.changes.map(({ taskId, kind }) => [taskId, kind]));
    return [...last]
      .filter(([taskId]) => isWanted(`log ${taskId}`))
      .map(([taskId, kind]): KeptFound => {
        const task = this.#logged.wanted(oid, taskId, nowMs);
        const should = task?.state === 'pending' ? 'added' : 'removed';
        const differences =
          task === undefined || kind === should
            ? []
            : [{ key: `${key} ${taskId}`, redis: `${kind} last`, log: `${should} last` }];
        return { name: `log ${taskId}`, differences };
      });
  }
}
