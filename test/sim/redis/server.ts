/** A Redis that can be away, slow, emptied, or replaced by a process with older data, and the connections to it. */
import type { Config } from '../../../src/config.ts';
import { unavailable } from '../../../src/errors.ts';
import type { TaskCommand } from '../../../src/model/records.ts';
import type { Projection } from '../../../src/projector/projection.ts';
import { type Server, Wire } from '../kafka/wire.ts';
import type { Random } from '../random.ts';
import type { Proc, Scheduler } from '../scheduler.ts';
import { memoryProjection, type Pipeline, type TryAll } from './projection.ts';
import { MemoryRedis, type OrgData, ShardAway } from './state.ts';

const COMMAND_TIMEOUT_MS = 5_000;
const HINT_LOST = 0.1;

export class RedisServer implements Server {
  readonly memory: MemoryRedis;
  up = true;
  incarnation = 0;
  /** Additional milliseconds of each command. */
  slowMs = 0;
  /** The probability that the connection breaks within a pipeline, 0 to 1. */
  cut = 0;
  #saved: ReadonlyMap<string, OrgData> = new Map();
  readonly #onDown = new Set<() => void>();
  readonly subscribers = new Set<{ proc: Proc; listener: (oid: string) => void }>();

  constructor(scheduler: Scheduler) {
    this.memory = new MemoryRedis(() => scheduler.nowMs);
  }

  onDown(lost: () => void): () => void {
    this.#onDown.add(lost);
    return () => this.#onDown.delete(lost);
  }

  save(): void {
    this.#saved = this.memory.snapshot();
  }

  stop(): void {
    this.up = false;
    this.incarnation += 1;
    for (const lost of [...this.#onDown]) lost();
    this.#onDown.clear();
  }

  /** Another process: empty, with the data at the stop, or with an older snapshot. */
  start(data: 'empty' | 'same' | 'saved'): void {
    const kept = { empty: new Map<string, OrgData>(), same: this.memory.snapshot(), saved: this.#saved }[data];
    this.memory.restart(kept);
    this.up = true;
  }

  /** The network is back. The process never stopped. */
  reconnect(): void {
    this.up = true;
  }
}

export type ConnectionOptions = {
  scheduler: Scheduler;
  random: Random;
  proc: Proc;
  server: RedisServer;
  config: Config;
  decodeCommand(bytes: Buffer): TaskCommand;
};

export function connectProjection({
  scheduler,
  random,
  proc,
  server,
  config,
  decodeCommand,
}: ConnectionOptions): Projection {
  const lost = () => unavailable('Redis did not answer.');
  const wire = new Wire({ scheduler, random, proc, server, extraMs: () => server.slowMs, lost });
  const within = async <T>(answer: Promise<T>): Promise<T> => {
    const late = Promise.withResolvers<never>();
    const callOff = scheduler.after(COMMAND_TIMEOUT_MS, () => late.reject(lost()), proc);
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      callOff();
    }
  };
  // If the connection breaks within a pipeline, some commands were executed, and some of those were answered.
  const runOn = <T>(run: () => T): T | Error => {
    server.memory.isAsked = true;
    try {
      return run();
    } catch (error) {
      if (error instanceof ShardAway) return lost();
      throw error;
    } finally {
      server.memory.isAsked = false;
    }
  };
  const tryAll: TryAll = async <T>(commands: (() => T)[]) => {
    if (commands.length === 0) return [];
    const answers = wire.call(() => {
      if (!random.chance(server.cut)) return commands.map(runOn);
      const done = commands.slice(0, random.below(commands.length + 1)).map(runOn);
      const answered = random.below(done.length + 1);
      return commands.map((_, i) => (i < answered ? (done[i] as T | Error) : lost()));
    });
    return within<(T | Error)[]>(answers).catch((error: Error) => commands.map(() => error));
  };
  const pipeline: Pipeline = async <T>(commands: (() => T)[]) => {
    const answers = await tryAll(commands);
    const failed = answers.find((answer) => answer instanceof Error);
    if (failed) throw failed;
    return answers as T[];
  };
  const publish = (oid: string): void => {
    for (const subscriber of server.subscribers) {
      if (random.chance(HINT_LOST)) continue;
      scheduler.after(random.between(0.1, 2), () => subscriber.listener(oid), subscriber.proc);
    }
  };
  const listen = (listener: (oid: string) => void) => {
    const subscriber = { proc, listener };
    server.subscribers.add(subscriber);
    return () => server.subscribers.delete(subscriber);
  };
  return memoryProjection({
    redis: server.memory,
    settings: {
      leaseMs: config.CLAIM_LEASE_MS,
      marginMs: config.EXPIRY_MARGIN_MS,
      firstBackoffMs: config.REDELIVERY_FIRST_MS,
      maxBackoffMs: config.REDELIVERY_MAX_MS,
      retentionMs: config.ENDED_RETENTION_SECONDS * 1000,
    },
    decodeCommand,
    pipeline,
    tryAll,
    publish,
    listen,
  });
}
