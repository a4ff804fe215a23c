/**
 * A fleet over Kafka: announces its sensors, receives dispatches, and answers. Guarantees:
 * - it follows `task-dispatch` before the first sensor connects, so that no dispatch is missed;
 * - a connection id is used once, by one process;
 * - offline sensors are announced by UPDATED. They connect through `connect`, or by the schedule with `cycle`;
 * - `stop` disconnects all sensors and sends queued records.
 * If a sensor disconnects before its late answer, the answer is lost, as with a real sensor. The task is then redelivered.
 */
import { randomUUID } from 'node:crypto';
import type { Codec } from '../edges/avro/codec.ts';
import type { PresenceKind, SensorFacts, SensorPresence, TaskDispatch } from '../model/records.ts';
import { Agent, type Ignored } from './agent.ts';
import type { Answer, Shares } from './answer.ts';
import { createSchedule, dueChanges } from './schedule.ts';
import { type FleetSensor, makeSensors } from './sensor.ts';
import { type FleetRecord, TopicWriter } from './topic-writer.ts';

export type FleetOptions = {
  oid: string;
  sensors: number;
  /** How many sensors start offline: the last ones. */
  offline: number;
  /** Presence changes per second after all are connected; 0: none. */
  ratePerSecond: number;
  seed: number;
  /** The schedule also includes the sensors that started offline. */
  cycle: boolean;
  shares: Shares;
  firstSid?: string | undefined;
};

/** The I/O of a fleet. `follow` resolves when it delivers all records from then on. */
export type FleetPorts = {
  codec: Codec;
  sendPresence(records: FleetRecord[]): Promise<unknown>;
  sendEvents(records: FleetRecord[]): Promise<unknown>;
  followDispatches(
    onRecords: (records: { key: Buffer | null; value: Buffer | null }[]) => Promise<void>,
  ): Promise<{ stop(): Promise<void> }>;
  /** Closes the clients. */
  close(): Promise<void>;
  nowMs(): number;
  log: { warn(fields: object, message: string): void };
};

export type FleetStats = {
  sensors: number;
  online: number;
  /** CONNECTED and DISCONNECTED written. */
  presenceChanges: number;
  /** Dispatches for sensors of this fleet. */
  heard: number;
  ran: number;
  answers: number;
  errors: number;
  ignored: Record<Ignored, number>;
  undecodable: number;
};

export type Fleet = {
  readonly sensors: readonly FleetSensor[];
  isOnline(sid: string): boolean;
  /** Resolves when the record is on the log. Does nothing if the sensor is already in this state. Throws on an unknown sid. */
  connect(sid: string): Promise<void>;
  disconnect(sid: string): Promise<void>;
  stats(): FleetStats;
  /** Safe twice. */
  stop(): Promise<void>;
};

const TICK_MS = 50;
const FLUSH_MS = 5_000;
/** Commands after which the sensor reconnects, and the delay. */
const COMES_BACK = new Set(['restart', 'upgrade_core', 'reboot']);
const COMES_BACK_MS = 2_000;

export async function startFleet(options: FleetOptions, ports: FleetPorts): Promise<Fleet> {
  const run = new FleetRun(options, ports);
  try {
    await run.start();
  } catch (error) {
    await run.stop();
    throw error;
  }
  return run;
}

class FleetRun implements Fleet {
  readonly sensors: readonly FleetSensor[];
  readonly #options: FleetOptions;
  readonly #ports: FleetPorts;
  readonly #agents: Map<string, Agent>;
  readonly #moving: Set<string>;
  readonly #presence: TopicWriter;
  readonly #events: TopicWriter;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stats: FleetStats;
  #movingOnline = 0;
  #ticker: NodeJS.Timeout | undefined;
  #tail: { stop(): Promise<void> } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: FleetOptions, ports: FleetPorts) {
    this.#options = options;
    this.#ports = ports;
    this.sensors = makeSensors(options.seed, options.sensors, options.firstSid);
    this.#agents = new Map(this.sensors.map((sensor) => [sensor.sid, new Agent(sensor)]));
    this.#moving = new Set((options.cycle ? this.sensors : this.#online()).map(({ sid }) => sid));
    const failed = (error: unknown) => ports.log.warn({ err: error }, 'writing records to Kafka failed; retrying');
    this.#presence = new TopicWriter(ports.sendPresence, failed);
    this.#events = new TopicWriter(ports.sendEvents, failed);
    this.#stats = {
      sensors: this.sensors.length,
      online: 0,
      presenceChanges: 0,
      heard: 0,
      ran: 0,
      answers: 0,
      errors: 0,
      undecodable: 0,
      ignored: { offline: 0, other_connection: 0, expired: 0, copy: 0 },
    };
  }

  async start(): Promise<void> {
    this.#tail = await this.#ports.followDispatches((records) => this.#hear(records));
    const offline = this.sensors.slice(this.#online().length);
    await Promise.all([
      ...this.#online().map(({ sid }) => this.connect(sid)),
      ...offline.map(({ sid, facts }) => this.#announce('UPDATED', sid, '', facts)),
    ]);
    this.#startSchedule();
  }

  isOnline(sid: string): boolean {
    return this.#agent(sid).connectionId !== null;
  }

  async connect(sid: string): Promise<void> {
    const agent = this.#agent(sid);
    if (agent.connectionId !== null || this.#stopped) return;
    agent.connectionId = randomUUID();
    this.#count(sid, 1);
    await this.#announce('CONNECTED', sid, agent.connectionId, agent.sensor.facts);
  }

  async disconnect(sid: string): Promise<void> {
    const agent = this.#agent(sid);
    if (agent.connectionId === null) return;
    const connectionId = agent.connectionId;
    agent.connectionId = null;
    this.#count(sid, -1);
    await this.#announce('DISCONNECTED', sid, connectionId, null);
  }

  stats(): FleetStats {
    return { ...this.#stats, ignored: { ...this.#stats.ignored } };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#ticker);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const sid of this.#agents.keys()) void this.disconnect(sid);
    await Promise.all([this.#presence.close(FLUSH_MS), this.#events.close(FLUSH_MS)]);
    await this.#tail?.stop();
    await this.#ports.close();
  }

  #online(): FleetSensor[] {
    return this.sensors.slice(0, this.sensors.length - this.#options.offline);
  }

  #agent(sid: string): Agent {
    const agent = this.#agents.get(sid);
    if (!agent) throw new RangeError(`The fleet has no sensor ${sid}.`);
    return agent;
  }

  #count(sid: string, step: 1 | -1): void {
    this.#stats.online += step;
    this.#stats.presenceChanges += 1;
    if (this.#moving.has(sid)) this.#movingOnline += step;
  }

  #announce(event: PresenceKind, sid: string, connectionId: string, sensor: SensorFacts | null): Promise<void> {
    const presence: SensorPresence = {
      event,
      oid: this.#options.oid,
      sid,
      connection_id: connectionId,
      occurred_at: this.#ports.nowMs(),
      sensor,
      add_tags: [],
      remove_tags: [],
      set_should_isolate: null,
      try_now: false,
    };
    return this.#presence.put({ key: sid, value: this.#ports.codec.encode('SensorPresence', presence) });
  }

  #startSchedule(): void {
    const { ratePerSecond, seed } = this.#options;
    if (ratePerSecond === 0) return;
    const schedule = createSchedule(seed, [...this.#moving]);
    const startedAtMs = this.#ports.nowMs();
    let done = 0;
    this.#ticker = setInterval(() => {
      const due = dueChanges(this.#ports.nowMs() - startedAtMs, ratePerSecond, done);
      for (let i = 0; i < due; i++) {
        const change = schedule.next((sid) => this.isOnline(sid), this.#movingOnline);
        if (change) void (change.to === 'online' ? this.connect(change.sid) : this.disconnect(change.sid));
      }
      done += due;
    }, TICK_MS);
  }

  async #hear(records: { key: Buffer | null; value: Buffer | null }[]): Promise<void> {
    const ours = records.filter(({ key }) => key !== null && this.#agents.has(key.toString()));
    await this.#ports.codec.resolve(ours.map(({ value }) => value));
    for (const { value } of ours) {
      const dispatch = this.#decode(value);
      if (dispatch?.oid === this.#options.oid && !this.#stopped) this.#obey(dispatch);
    }
    await this.#events.room();
  }

  /** Ignores a record that cannot be decoded. Other consumers report it. */
  #decode(value: Buffer | null): TaskDispatch | undefined {
    try {
      if (value) return this.#ports.codec.decode('TaskDispatch', value);
    } catch {
      this.#stats.undecodable += 1;
    }
    return undefined;
  }

  #obey(dispatch: TaskDispatch): void {
    const agent = this.#agents.get(dispatch.sid);
    if (!agent) return;
    this.#stats.heard += 1;
    const heard = agent.hear(dispatch, this.#options, this.#ports.nowMs());
    if (heard.ignored) {
      this.#stats.ignored[heard.ignored] += 1;
      return;
    }
    if (heard.ran) this.#stats.ran += 1;
    if (heard.answer) this.#answer(agent, heard.answer);
    else this.#goDown(dispatch);
  }

  #answer(agent: Agent, { event, delaysMs, error }: Answer): void {
    const value = this.#ports.codec.encode('SensorEvent', event);
    for (const delayMs of delaysMs) {
      this.#after(delayMs, () => {
        if (agent.connectionId === null) return;
        this.#stats.answers += 1;
        if (error !== 0) this.#stats.errors += 1;
        void this.#events.put({ key: event.sid, value });
      });
    }
  }

  #goDown({ sid, task }: TaskDispatch): void {
    void this.disconnect(sid);
    if (COMES_BACK.has(task.trim().split(/\s/, 1)[0] ?? '')) {
      this.#after(COMES_BACK_MS, () => void this.connect(sid));
    }
  }

  #after(delayMs: number, act: () => void): void {
    if (delayMs === 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }
}
