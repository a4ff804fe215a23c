/** The surroundings of a joiner, with a clock that tests move. Calls to Redis and to the broker take time and can fail. */
import { pino } from 'pino';
import { readConfig } from '../../src/config.ts';
import { Deliver } from '../../src/joiner/delivery/deliver.ts';
import { addSensor, newOrgPartition, type OrgPartition, type Sensor } from '../../src/joiner/org-partition.ts';
import type { Due, Task } from '../../src/joiner/org-tasks.ts';
import { Redelivery } from '../../src/joiner/redelivery.ts';
import type { TaskDispatch } from '../../src/model/records.ts';
import { newSensor } from '../../src/model/sensor.ts';
import type { EpochEvent, RolePorts } from '../../src/ports.ts';
import type {
  Answer,
  ClaimAnswer,
  ClaimRequest,
  ConfirmRequest,
  RecheckRequest,
  SensorRows,
  Why,
} from '../../src/projector/projection.ts';

/** Virtual time in ms: `delay` ends when `run` has reached its time. */
export class Time {
  now = 1_000;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  delay(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ atMs: this.now + ms, wake }));
  }

  /** Moves time forward until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    finished.catch(() => undefined);
    for (;;) {
      for (let i = 0; i < 50 && !done; i += 1) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      if (done) return finished;
      this.#sleepers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#sleepers.shift();
      if (!next) throw new Error('the work is not done, and nothing waits for time to pass');
      this.now = Math.max(this.now, next.atMs);
      next.wake();
    }
  }
}

export const taskOf = (taskId: string, change: Partial<Task> = {}): Task => ({
  taskId,
  commandLine: 'run',
  investigationId: taskId,
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  doneWhenSent: false,
  textBytes: Buffer.byteLength(change.commandLine ?? 'run') + Buffer.byteLength(taskId),
  predicate: () => true,
  sid: undefined,
  seenAtMs: 0,
  gone: false,
  nextClaims: new Map(),
  ...change,
});

export const orgPartitionOf = (oid = 'o', change: Partial<OrgPartition> = {}): OrgPartition =>
  Object.assign(newOrgPartition(oid, 3), { fencingToken: '1', epoch: 'e', loaded: true, live: true, ...change });

export function sensorIn(orgPartition: OrgPartition, sid: string): Sensor {
  const sensor = addSensor(orgPartition, { ...newSensor(orgPartition.oid, sid), connectionId: `c-${sid}` }, 0);
  sensor.online = true;
  return sensor;
}

/** Redis and the broker. Redis gives every claim, with attempt 1, unless a test says otherwise. */
export class World {
  readonly time = new Time();
  readonly redelivery = new Redelivery();
  readonly refused: [string, Why][] = [];
  /** Each produce: when it started, when it was appended, and its dispatches. */
  readonly produced: { askedAt: number; appendedAt: number; dispatches: TaskDispatch[] }[] = [];
  readonly events: EpochEvent[] = [];
  readonly claims: ClaimRequest[] = [];
  readonly rechecks: RecheckRequest[] = [];
  readonly confirms: ConfirmRequest[] = [];
  /** Orgs whose shard is away. */
  readonly away = new Set<string>();
  confirmsFail = false;
  eventsFail = false;
  /** How long the broker takes for one produce, ms. */
  produceMs: (bytes: number) => number = () => 1;
  produceFails = false;
  onClaim: (request: ClaimRequest) => ClaimAnswer | undefined = () => undefined;
  onRecheck: (request: RecheckRequest) => boolean[][] = ({ tasks }) => tasks.map(({ sids }) => sids.map(() => true));
  #broker: Promise<unknown> = Promise.resolve();
  readonly config = readConfig({ KAFKA_BROKERS: 'k:1', REDIS_URL: 'redis://r', REDELIVERY_FIRST_MS: '30000' });

  readonly deliver = new Deliver({
    ports: this.ports(),
    redelivery: this.redelivery,
    onRefused: (orgPartition, why) => void this.refused.push([orgPartition.oid, why]),
    onVersion: () => undefined,
  });

  ports(): Pick<RolePorts, 'config' | 'log' | 'clock' | 'outbox' | 'projection' | 'metrics'> {
    const nothing = () => undefined;
    return {
      config: this.config,
      log: pino({ level: 'silent' }),
      clock: {
        nowMs: () => this.time.now,
        monoMs: () => this.time.now,
        random: () => 0.5,
        delay: (ms: number) => this.time.delay(ms),
        every: () => ({ stop: async () => undefined, soon: nothing }),
      },
      outbox: {
        dispatches: (dispatches: TaskDispatch[]) => this.#produce(dispatches),
        taskEvents: async (events: EpochEvent[]) => {
          if (this.eventsFail) throw new Error('the broker is away');
          this.events.push(...events);
        },
      },
      projection: {
        claim: async (rows: SensorRows[], requests: ClaimRequest[]) => ({
          rows: rows.map(({ oid }) => this.#answer(oid)),
          claims: requests.map((request) => this.#claim(request)),
        }),
        recheck: async (request: RecheckRequest) => {
          this.rechecks.push(request);
          const kept = this.onRecheck(request);
          return { ok: true, nowMs: this.time.now, kept };
        },
        confirm: async (requests: ConfirmRequest[]) => {
          if (this.confirmsFail) return requests.map(() => ({ ok: false, why: 'away' }));
          this.confirms.push(...requests);
          return requests.map(({ oid }) => this.#answer(oid));
        },
      },
      metrics: { dispatchLatency: nothing, dispatched: nothing },
    } as unknown as RolePorts;
  }

  #answer(oid: string): Answer<object> {
    return this.away.has(oid) ? { ok: false, why: 'away' } : { ok: true };
  }

  #claim(request: ClaimRequest): ClaimAnswer {
    this.claims.push(request);
    const special = this.onClaim(request);
    if (special) return special;
    if (this.away.has(request.oid)) return { ok: false, why: 'away' };
    const words = request.tasks.map(({ deliveries }) =>
      deliveries.map(() => ({ word: 'claimed' as const, attempt: 1 })),
    );
    return { ok: true, version: 0, nowMs: this.time.now, words };
  }

  /** A broker handles the requests of one connection one after another. */
  async #produce(dispatches: TaskDispatch[]): Promise<void> {
    const askedAt = this.time.now;
    const bytes = dispatches.reduce((sum, { task }) => sum + task.length + 200, 0);
    const mine = this.#broker.then(() => this.time.delay(this.produceMs(bytes)));
    this.#broker = mine;
    await mine;
    if (this.produceFails) throw new Error('the broker is away');
    this.produced.push({ askedAt, appendedAt: this.time.now, dispatches });
  }
}

export const deliveriesOf = (sensors: Sensor[], ...tasks: Task[]): Due[] =>
  sensors.flatMap((sensor) => tasks.map((task) => ({ sensor, task })));
