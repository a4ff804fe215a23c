/**
 * The world of one seed: two joiners (at times three), two projectors, an API, Kafka and Redis, some orgs and their sensors.
 * It runs steps of the outside world and faults. Then all faults end, and everything has to be as rest.ts says.
 */
import { readConfig } from '../../src/config.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { Bug } from './bugs.ts';
import { Checker, Violation } from './checker.ts';
import { ask } from './client.ts';
import { Cluster } from './cluster.ts';
import { Faults } from './faults.ts';
import { Fleet, ORGS } from './fleet.ts';
import { judgeOf } from './judge.ts';
import { type Appended, Broker } from './kafka/broker.ts';
import { Oracle } from './oracle.ts';
import type { Env } from './ports.ts';
import { Random } from './random.ts';
import { RedisServer } from './redis/server.ts';
import { checkRest } from './rest.ts';
import { Scheduler } from './scheduler.ts';

const START_MS = 1_700_000_000_000;
const PARTITIONS = { commands: 2, taskEvents: 2, presence: 3, sensorEvents: 3, sensorState: 3, dispatch: 2 };
/** The time after the last fault until everything has to be right. Usually it is sooner. */
const REST_MS = 30_000;
const LOOK_MS = 3_000;

const CONFIG = readConfig({ KAFKA_BROKERS: 'sim:9092', REDIS_URL: 'redis://sim' });

/** The weights of the steps, and of the pauses after each step, in ms. */
const STEPS = {
  connect: 12,
  reconnect: 4,
  disconnect: 7,
  update: 8,
  repeat: 4,
  forget: 1,
  bogusReceipt: 2,
  task: 6,
  produce: 4,
  again: 2,
  conflict: 1,
  untask: 3,
  narrow: 3,
  poison: 2,
  org: 0.3,
  fault: 6,
};
export type Step = keyof typeof STEPS;
const PASS = { 5: 50, 100: 42, 1000: 6, 6000: 1 };

export class World {
  readonly cluster: Cluster;
  readonly fleet: Fleet;
  readonly faults: Faults;
  onCrash: (error: unknown) => void = () => {};
  readonly #random: Random;
  readonly #scheduler = new Scheduler(START_MS);
  readonly #env: Env;
  readonly #oracle: Oracle;
  readonly #checker: Checker;
  readonly #asked: ReturnType<Fleet['task']>[] = [];
  readonly #steps: Partial<Record<Step, number>>;
  readonly #acts: Record<Step, () => void>;

  constructor(seed: number, bug: Bug | undefined, trace: ((line: string) => void) | undefined) {
    const { TTL_MAX_SECONDS: ttlMaxSeconds, TASK_MAX_BYTES: taskMaxBytes, CLAIM_LEASE_MS: leaseMs } = CONFIG;
    this.#random = new Random(seed);
    this.#oracle = new Oracle(new OrgTable(), { ttlMaxSeconds, taskMaxBytes });
    this.#checker = new Checker({ oracle: this.#oracle, leaseMs, marginMs: CONFIG.EXPIRY_MARGIN_MS });
    const redis = new RedisServer(this.#scheduler);
    redis.memory.onRead = (oid, partition, offset) =>
      this.#checker.onProcessed(oid, partition, offset, this.#scheduler.nowMs);
    this.#steps = bug?.steps ?? STEPS;
    bug?.redis?.(redis.memory);
    const at = () => ((this.#scheduler.nowMs - START_MS) / 1000).toFixed(4).padStart(9);
    const say: Env['trace'] = trace ? (who, what) => trace(`${at()}  ${who.padEnd(13)} ${what}`) : null;
    const judge = judgeOf(this.#oracle, this.#checker, () => this.fleet, say);
    this.#env = {
      scheduler: this.#scheduler,
      random: this.#random,
      config: CONFIG,
      broker: new Broker(this.#scheduler, PARTITIONS, (appended) => this.#judge(judge, appended)),
      redis,
      trouble: { produce: 0, brokerMs: bug?.brokerMs ?? 0 },
      trace: say,
      wrap: (ports, kind) => bug?.ports?.(ports, kind) ?? ports,
    };
    this.cluster = new Cluster(this.#env);
    this.fleet = new Fleet(this.#env);
    this.faults = new Faults(this.#env, this.cluster);
    this.#acts = this.#actsOf(this.fleet);
  }

  /** Stops the world: nothing happens any more. */
  end(): void {
    this.#scheduler.halt();
  }

  stats() {
    return { ...this.#checker.stats, events: this.#scheduler.events, virtualMs: this.#scheduler.nowMs - START_MS };
  }

  begin(): void {
    for (const oid of ORGS.slice(0, this.fleet.orgs)) this.fleet.subscribe(oid);
    this.cluster.startAll();
  }

  /** Rejects with a Violation if an invariant is violated. */
  async live(steps: number): Promise<void> {
    this.begin();
    await this.pass(this.#random.between(0, 3_000));
    for (let i = 0; i < steps; i += 1) {
      this.#acts[this.#random.weighted(this.#steps)]();
      await this.pass(Number(this.#random.weighted(PASS)) * this.#random.between(0.2, 2));
    }
    await this.comeToRest();
  }

  /** Ends all faults. Rejects with the Violation that remains after 30 seconds. */
  async comeToRest(): Promise<void> {
    this.faults.heal();
    const endMs = this.#scheduler.nowMs + REST_MS;
    let fault: unknown = null;
    do {
      await this.pass(LOOK_MS);
      fault = this.#restFault();
    } while (fault !== null && this.#scheduler.nowMs < endMs);
    if (fault !== null) throw fault;
  }

  #restFault(): unknown {
    try {
      const unready = this.cluster.unready();
      if (unready) throw new Violation('I1', `at rest, not ready: ${unready}`);
      const { scheduler, redis } = this.#env;
      checkRest({ oracle: this.#oracle, checker: this.#checker, redis: redis.memory, nowMs: scheduler.nowMs });
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Lets time pass. */
  pass(ms: number): Promise<void> {
    return this.#scheduler.runUntil(this.#scheduler.nowMs + ms);
  }

  /** A violation does not stop the append: the record is on the log. */
  #judge(judge: ReturnType<typeof judgeOf>, appended: Appended): void {
    try {
      judge(appended, this.#scheduler.nowMs);
    } catch (error) {
      this.onCrash(error);
    }
  }

  #actsOf(fleet: Fleet): Record<Step, () => void> {
    return {
      connect: () => fleet.connect(),
      reconnect: () => fleet.reconnect(),
      disconnect: () => fleet.disconnect(),
      update: () => fleet.update(),
      repeat: () => fleet.repeat(),
      forget: () => fleet.forget(),
      bogusReceipt: () => fleet.bogusReceipt(),
      poison: () => fleet.poison(),
      produce: () => fleet.produce(fleet.task()),
      fault: () => this.faults.one(),
      task: () => {
        const command = fleet.task();
        this.#asked.push(command);
        this.#ask(command);
      },
      again: () => {
        if (this.#asked.length > 0) this.#ask(this.#random.pick(this.#asked));
      },
      conflict: () => {
        if (this.#asked.length > 0) fleet.produce({ ...this.#random.pick(this.#asked), task: 'another' });
      },
      untask: () => this.#untask(false),
      narrow: () => this.#untask(true),
      org: () => {
        if (fleet.orgs < ORGS.length) fleet.addOrg();
      },
    };
  }

  #untask(narrow: boolean): void {
    const command = this.fleet.untask(narrow);
    if (command === null) return;
    if (this.#random.chance(0.7)) this.#ask(command);
    else this.fleet.produce(command);
  }

  #ask(command: ReturnType<Fleet['task']>): void {
    ask(this.#env, this.cluster, this.#checker, command).catch((error) => this.onCrash(error));
  }
}
