/**
 * A consumer like that of kafkajs, as far as src/edges/kafka/kafkajs/group/group.ts uses it. It joins, fetches from all its partitions at once,
 * passes their batches on in parallel, and fetches again when all have ended. A heartbeat tells it of a rebalance.
 */
import { AssignerProtocol, type ConsumerConfig, type EachBatchPayload, type PartitionAssigner } from 'kafkajs';
import type { Random } from '../random.ts';
import type { Proc, Scheduler } from '../scheduler.ts';
import type { Broker, LogRecord } from './broker.ts';
import type { Wire } from './wire.ts';

export type ConsumerOptions = {
  scheduler: Scheduler;
  random: Random;
  proc: Proc;
  broker: Broker;
  wire: Wire;
  config: ConsumerConfig;
};

type Fetched = { topic: string; partition: number; from: number; records: LogRecord[]; high: number };
type Assigner = ReturnType<PartitionAssigner>;
type Work = (payload: EachBatchPayload) => Promise<void>;

const BATCH_MAX = 40;
const REJOIN = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

const typeOf = (error: unknown): string => String((error as { type?: unknown }).type ?? '');

export class SimConsumer {
  readonly events = {
    GROUP_JOIN: 'join',
    REBALANCING: 'rebalancing',
    CRASH: 'crash',
    FETCH: 'fetch',
    END_BATCH_PROCESS: 'end',
  } as const;
  readonly #options: ConsumerOptions;
  readonly #listeners = new Map<string, ((event: { payload: unknown }) => void)[]>();
  #topics: string[] = [];
  #running = false;
  #ended: Promise<void> = Promise.resolve();
  #memberId: string | null = null;
  #generation = 0;
  #held: { topic: string; partition: number }[] = [];
  readonly #positions = new Map<string, number>();
  readonly #sought = new Map<string, number>();
  readonly #paused = new Set<string>();
  #beatMs = 0;
  /** A seek or resume happened since the last fetch request. */
  #woken = false;
  #endWait = () => {};

  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  on(name: string, listener: (event: { payload: never }) => void): void {
    const known = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...known, listener as (event: { payload: unknown }) => void]);
  }

  async connect(): Promise<void> {}

  async subscribe({ topics }: { topics: string[] }): Promise<void> {
    this.#topics = topics;
  }

  async run({ eachBatch }: { eachBatch: Work }): Promise<void> {
    this.#running = true;
    await this.#joinUntilDone();
    this.#ended = this.#loop(eachBatch);
  }

  seek({ topic, partition, offset }: { topic: string; partition: number; offset: string }): void {
    if (!this.#running) throw new Error('The consumer does not run.');
    this.#sought.set(`${topic} ${partition}`, Number(offset));
    this.#wake();
  }

  async commitOffsets(offsets: { topic: string; partition: number; offset: string }[]): Promise<void> {
    const { wire, config } = this.#options;
    const memberId = this.#memberId ?? '';
    const generation = this.#generation;
    for (const { topic, partition, offset } of offsets) {
      const key = `${config.groupId} ${topic} ${partition}`;
      await wire.call(() => this.#group.commit(memberId, generation, key, Number(offset)));
    }
  }

  async disconnect(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#wake();
    await this.#ended;
    const memberId = this.#memberId ?? '';
    await this.#options.wire.call(() => this.#group.leave(memberId)).catch(() => undefined);
  }

  #wake(): void {
    this.#woken = true;
    this.#endWait();
  }

  get #group() {
    return this.#options.broker.group(this.#options.config.groupId);
  }

  #emit(name: string, payload: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) listener({ payload });
  }

  #delay(ms: number): Promise<void> {
    const { scheduler, proc } = this.#options;
    return new Promise((resolve) => scheduler.after(ms, resolve, proc));
  }

  async #joinUntilDone(): Promise<void> {
    while (this.#running) {
      try {
        await this.#join();
        return;
      } catch (error) {
        if (typeOf(error) === 'UNKNOWN_MEMBER_ID') this.#memberId = null;
        await this.#delay(this.#options.random.between(100, 1_000));
      }
    }
  }

  async #join(): Promise<void> {
    const { wire, broker, config } = this.#options;
    const cluster = {
      findTopicPartitionMetadata: (topic: string) => broker.log(topic).map((_, partitionId) => ({ partitionId })),
    };
    const [assignerOf] = config.partitionAssigners as unknown as ((given: object) => Assigner)[];
    const assigner = (assignerOf as (given: object) => Assigner)({ cluster });
    const request = {
      memberId: this.#memberId,
      sessionMs: config.sessionTimeout ?? 10_000,
      rebalanceMs: config.rebalanceTimeout ?? 20_000,
      metadata: assigner.protocol({ topics: this.#topics }).metadata,
      assign: async (members: { memberId: string; memberMetadata: Buffer }[]) => {
        const shares = await assigner.assign({ members, topics: this.#topics });
        return new Map(shares.map(({ memberId, memberAssignment }) => [memberId, memberAssignment]));
      },
    };
    const { memberId, generation, assignment } = await wire.call(() => this.#group.join(request));
    this.#memberId = memberId;
    this.#generation = generation;
    this.#beatMs = this.#options.scheduler.nowMs;
    const byTopic = AssignerProtocol.MemberAssignment.decode(assignment)?.assignment ?? {};
    this.#held = Object.entries(byTopic).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    const committed = await wire.call(() =>
      this.#held.map(({ topic, partition }) => broker.committed.get(`${config.groupId} ${topic} ${partition}`) ?? 0),
    );
    this.#positions.clear();
    this.#sought.clear();
    for (const [i, { topic, partition }] of this.#held.entries())
      this.#positions.set(`${topic} ${partition}`, committed[i] as number);
    this.#emit('join', { memberAssignment: byTopic });
  }

  async #loop(work: Work): Promise<void> {
    while (this.#running) {
      try {
        await this.#fetchAndWork(work);
      } catch (error) {
        const type = typeOf(error);
        if (REJOIN.has(type)) {
          if (type === 'UNKNOWN_MEMBER_ID') this.#memberId = null;
          this.#emit('rebalancing', {});
          await this.#joinUntilDone();
        } else await this.#delay(this.#options.random.between(100, 2_000));
      }
    }
  }

  async #fetchAndWork(work: Work): Promise<void> {
    for (const [key, offset] of this.#sought) this.#positions.set(key, offset);
    this.#sought.clear();
    this.#woken = false;
    const batches = await this.#fetch();
    this.#emit('fetch', {});
    if (!this.#running) return;
    if (batches.length === 0) {
      await this.#heartbeat();
      return;
    }
    const results = await Promise.allSettled(batches.map((batch) => work(this.#payload(batch))));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Waits for records, at most until the next heartbeat. A seek ends the wait. */
  async #fetch(): Promise<Fetched[]> {
    const { wire, broker, scheduler } = this.#options;
    const wanted = this.#held
      .map((logOffset) => ({ ...logOffset, key: `${logOffset.topic} ${logOffset.partition}` }))
      .filter(({ key }) => !this.#paused.has(key))
      .map((logOffset) => ({ ...logOffset, from: this.#positions.get(logOffset.key) ?? 0 }));
    const read = (): Fetched[] =>
      wanted.flatMap(({ topic, partition, from }) => {
        const log = broker.log(topic)[partition] as LogRecord[];
        if (from >= log.length) return [];
        const most = 1 + this.#options.random.below(BATCH_MAX);
        return [{ topic, partition, from, records: log.slice(from, from + most), high: log.length }];
      });
    const waitMs = Math.max(this.#beatMs + (this.#options.config.heartbeatInterval ?? 2_000) - scheduler.nowMs, 50);
    return wire.call(
      () =>
        new Promise<Fetched[]>((resolve) => {
          const first = read();
          if (first.length > 0) {
            resolve(first);
            return;
          }
          const end = (found: Fetched[]): void => {
            stopNews();
            callOff();
            this.#endWait = () => {};
            resolve(found);
          };
          const stopNews = broker.onNews(() => {
            const found = read();
            if (found.length > 0) end(found);
          });
          const callOff = scheduler.after(waitMs, () => end([]));
          this.#endWait = () => scheduler.after(1, () => end([]));
          if (this.#woken) this.#endWait();
        }),
    );
  }

  async #heartbeat(): Promise<void> {
    const { scheduler, wire, config } = this.#options;
    if (scheduler.nowMs - this.#beatMs < (config.heartbeatInterval ?? 2_000) - 1) return;
    const memberId = this.#memberId ?? '';
    const generation = this.#generation;
    this.#beatMs = scheduler.nowMs;
    await wire.call(() => this.#group.heartbeat(memberId, generation));
  }

  #payload({ topic, partition, from, records, high }: Fetched): EachBatchPayload {
    const key = `${topic} ${partition}`;
    const last = String((records.at(-1) as LogRecord).offset);
    return {
      batch: {
        topic,
        partition,
        fetchedOffset: from,
        highWatermark: String(high),
        messages: records.map((record) => ({
          key: record.key,
          value: record.value,
          offset: String(record.offset),
          timestamp: String(record.timestampMs),
          headers: record.headers,
        })),
        lastOffset: () => last,
      },
      resolveOffset: (offset: string) => {
        this.#positions.set(key, Number(offset) + 1);
      },
      heartbeat: () => this.#heartbeat(),
      pause: () => {
        this.#paused.add(key);
        return () => {
          this.#paused.delete(key);
          this.#wake();
        };
      },
      isRunning: () => this.#running,
      isStale: () => this.#sought.has(key),
    } as unknown as EachBatchPayload;
  }
}
