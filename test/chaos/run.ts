/**
 * One run of chaos: real Kafka and Redis, two processes of each role and a fleet, while faults come by a plan. Then everything
 * is healed, comes to rest, and all that was written is judged.
 *
 *   start -> tasks and faults at the same time -> heal -> rest -> read all topics -> judge, verify
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openFleet } from '../../src/fleet/open.ts';
import type { Fleet } from '../../src/fleet/run.ts';
import { packageRoot } from '../../src/stack/paths.ts';
import { System } from '../integration/support/system.ts';
import { Random } from '../sim/random.ts';
import { FAULTS, type FaultName, type World } from './faults.ts';
import { History } from './history.ts';
import { judge, type Untasked, type Verdict } from './judge.ts';
import { followLately, type Lately } from './lately.ts';
import { ask } from './load.ts';
import { planOf } from './plan.ts';
import { type Entry, readEntries } from './records.ts';
import { Servers } from './servers.ts';

export type ChaosOptions = {
  seed: number;
  seconds: number;
  /** How many (task, sensor) are asked for, at least about. */
  deliveries: number;
  faults: readonly FaultName[];
  /** Gets the history, the logs of all processes and the data of the servers. */
  folder: string;
  say(line: string): void;
};

export type ChaosResult = Verdict & { faults: Record<string, number>; history: string };

const NAMES = ['api', 'api-2', 'projector', 'projector-2', 'joiner', 'joiner-2', 'responder', 'responder-2'];
const SENSORS = 24;
const OFFLINE = 4;
/** Of 24 sensors a selector of the load matches about this many. */
const DELIVERIES_A_TASK = 12;
const CHANGES_PER_SECOND = 4;
const SHARES = { late: 0, twice: 0.05, error: 0.02 };
const SETTINGS = {
  TOPIC_PARTITIONS: '4',
  KAFKA_SESSION_MS: '6000',
  REDELIVERY_FIRST_MS: '2000',
  REDELIVERY_MAX_MS: '4000',
};
const HEAL_MS = 60_000;
const REST_MS = 60_000;
const LOOK_MS = 500;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  mkdirSync(options.folder, { recursive: true });
  const chaos = new Chaos(options);
  try {
    return await chaos.run();
  } finally {
    await chaos.stop();
  }
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #servers: Servers;
  readonly #history: History;
  readonly #over = new AbortController();
  readonly #counts: Record<string, number> = {};
  readonly #late: string[] = [];
  #system!: System;
  #fleet: Fleet | undefined;
  #lately: Lately | undefined;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#servers = new Servers(options.folder);
    this.#history = new History(options.folder);
  }

  async run(): Promise<ChaosResult> {
    const { seed, seconds, deliveries, say } = this.#options;
    await this.#start();
    say(`${seconds} s of chaos with seed ${seed}`);
    const tasks = Math.ceil(deliveries / DELIVERIES_A_TASK);
    const load = { system: this.#system, random: new Random(seed + 1), tasks, ms: seconds * 1_000 * 0.9 };
    const [untasked] = await Promise.all([
      ask({ ...load, wait: this.#wait, note: (line) => this.#history.note(line) }),
      this.#trouble(),
    ]);
    say('healing');
    await this.#heal();
    await this.#rest();
    const entries = await readEntries(this.#system);
    this.#history.records(entries);
    const verdict = this.#judge(entries, untasked);
    const violations = [...this.#late, ...verdict.violations, ...(await this.#verify())];
    this.#history.note({ counts: verdict.counts, violations });
    return { counts: verdict.counts, violations, faults: this.#counts, history: this.#history.file };
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#fleet?.stop();
    await this.#lately?.stop();
    await this.#system?.stop();
    await this.#servers.stop();
    await this.#history.close();
  }

  #wait = async (ms: number): Promise<void> => sleep(ms, undefined, { signal: this.#over.signal });

  async #start(): Promise<void> {
    const { say, seed, folder } = this.#options;
    say('Kafka and Redis start');
    await this.#servers.start();
    this.#system = new System({ ...SETTINGS, ...this.#servers.env }, join(folder, 'logs'));
    say(`${NAMES.length} processes start`);
    await this.#system.start(NAMES);
    // Its own clients, which are away as long as Kafka is: what the fleet says then waits.
    this.#fleet = await openFleet(
      this.#system.config,
      {
        oid: this.#system.oid,
        sensors: SENSORS,
        offline: OFFLINE,
        seed,
        shares: SHARES,
        ratePerSecond: CHANGES_PER_SECOND,
        cycle: true,
      },
      this.#system.log,
    );
    this.#lately = await followLately(this.#system);
  }

  /** Faults about different things may overlap; of one thing they come one after the other. */
  async #trouble(): Promise<void> {
    const { seed, seconds, faults } = this.#options;
    const lately = this.#lately as Lately;
    const world: World = {
      system: this.#system,
      servers: this.#servers,
      random: new Random(seed + 2),
      wait: this.#wait,
      lately: (topic) => lately.of(topic),
    };
    const lines = new Map<string, Promise<void>>();
    const startMs = Date.now();
    for (const { atMs, fault } of planOf(seed, seconds * 1_000, faults)) {
      await this.#wait(Math.max(0, startMs + atMs - Date.now()));
      const { about } = FAULTS[fault];
      const before = lines.get(about) ?? Promise.resolve();
      lines.set(
        about,
        before.then(() => this.#fault(fault, world)),
      );
    }
    await Promise.all(lines.values());
    await this.#wait(Math.max(0, startMs + seconds * 1_000 - Date.now()));
  }

  async #fault(name: FaultName, world: World): Promise<void> {
    this.#options.say(`  ${name}`);
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
    this.#history.note({ fault: name, is: 'begun' });
    try {
      await FAULTS[name].run(world);
      this.#history.note({ fault: name, is: 'over' });
    } catch (error) {
      // Faults may overlap: a producer finds no broker, a process does not come up in time.
      this.#history.note({ fault: name, is: 'cut short', why: String(error) });
    }
  }

  /** Every process runs and is ready; every sensor has a new connection. */
  async #heal(): Promise<void> {
    await this.#until(HEAL_MS, 'ready again', async () => {
      const said = await Promise.all(NAMES.map((name) => this.#notReady(name)));
      return said.filter(Boolean).join('; ');
    });
    const fleet = this.#fleet as Fleet;
    await Promise.all(fleet.sensors.map(({ sid }) => fleet.disconnect(sid)));
    await Promise.all(fleet.sensors.map(({ sid }) => fleet.connect(sid)));
  }

  /** What `/readyz` says; '' when the process is ready. */
  async #notReady(name: string): Promise<string> {
    const answer = await fetch(`${this.#system.roles.get(name)?.url}/readyz`);
    return answer.ok ? '' : `${name} says ${await answer.text()}`;
  }

  /** Waits until nothing is due: all deliveries of the pending tasks are done or failed. */
  async #rest(): Promise<void> {
    type Counts = { counts: { queued: number; sent: number } };
    const { client } = this.#system;
    await this.#until(REST_MS, 'answered by all sensors', async () => {
      const { tasks } = await client.request<{ tasks: { task_id: string }[] }>('list', {});
      const details = await Promise.all(
        tasks.map(({ task_id }) => client.request<Counts>('get', { task_id, limit: 1 })),
      );
      const open = details.reduce((sum, { counts }) => sum + counts.queued + counts.sent, 0);
      return open === 0 ? '' : `${open} deliveries`;
    });
    const fleet = this.#fleet as Fleet;
    this.#history.note({ fleet: fleet.stats() });
  }

  /** `left` names what is not so yet; '' when all is. A deadline that passes is a violation; the judge says more. */
  async #until(ms: number, what: string, left: () => Promise<string>): Promise<void> {
    const deadlineMs = Date.now() + ms;
    for (;;) {
      const missing = await left().catch((error: unknown) => String(error));
      if (missing === '') return;
      if (Date.now() > deadlineMs) {
        this.#late.push(`not ${what} within ${ms / 1_000} s: ${missing}`);
        return;
      }
      await this.#wait(LOOK_MS);
    }
  }

  #judge(entries: readonly Entry[], untasked: readonly Untasked[]): Verdict {
    const { oid, config } = this.#system;
    return judge({
      oid,
      entries,
      untasked,
      nowMs: Date.now(),
      leaseMs: config.CLAIM_LEASE_MS,
      marginMs: config.EXPIRY_MARGIN_MS,
      rules: { ttlMaxSeconds: config.TTL_MAX_SECONDS, taskMaxBytes: config.TASK_MAX_BYTES },
    });
  }

  /** Redis against the log, as an operator would look. */
  async #verify(): Promise<string[]> {
    const program = join(packageRoot, 'src/cli/main.ts');
    const env = { ...process.env, ...this.#system.env };
    try {
      await promisify(execFile)(process.execPath, [program, 'verify', '--json'], { env, timeout: REST_MS });
      return [];
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      return [`verify: ${stderr.trim() || String(error)} ${stdout.slice(0, 2_000)}`];
    }
  }
}
