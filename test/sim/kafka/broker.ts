/**
 * One broker: topics as arrays, append times by the virtual clock, committed offsets, groups. While it is down it answers nothing,
 * and earlier requests get no answer, whether or not they were executed.
 */
import { partitionOf } from '../../../src/edges/kafka/kafkajs/partitioner.ts';
import type { OutRecord } from '../../../src/edges/kafka/producer.ts';
import { TOPICS, type TopicKey } from '../../../src/topics.ts';
import type { Scheduler } from '../scheduler.ts';
import { Coordinator } from './coordinator.ts';

export type LogRecord = {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: NonNullable<OutRecord['headers']>;
  timestampMs: number;
};

/** `sentMs`: when the process sent it. For records of the outside world it is the append time. */
export type Appended = { topic: string; partition: number; record: LogRecord; sentMs: number };

export type Partitions = Partial<Record<TopicKey, number>>;

export class Broker {
  readonly scheduler: Scheduler;
  up = true;
  /** Changes with each outage, which breaks all connections. */
  incarnation = 0;
  readonly committed = new Map<string, number>();
  readonly #topics = new Map<string, LogRecord[][]>();
  readonly #groups = new Map<string, Coordinator>();
  readonly #onAppend: (appended: Appended) => void;
  readonly #waiters = new Set<() => void>();
  readonly #onDown = new Set<() => void>();

  constructor(scheduler: Scheduler, partitions: Partitions, onAppend: (appended: Appended) => void) {
    this.scheduler = scheduler;
    this.#onAppend = onAppend;
    for (const [key, { name }] of Object.entries(TOPICS))
      this.#topics.set(
        name,
        Array.from({ length: partitions[key as TopicKey] ?? 1 }, () => []),
      );
  }

  log(topic: string): LogRecord[][] {
    return this.#topics.get(topic) as LogRecord[][];
  }

  partition(topic: string, record: OutRecord): number {
    return record.partition ?? partitionOf(record.key ?? '', this.log(topic).length);
  }

  append(topic: string, record: OutRecord, sentMs = this.scheduler.nowMs): { partition: number; offset: number } {
    const partition = this.partition(topic, record);
    const log = this.log(topic)[partition] as LogRecord[];
    const appended: LogRecord = {
      offset: log.length,
      key: record.key === null ? null : Buffer.from(record.key),
      value: record.value,
      headers: record.headers ?? {},
      timestampMs: Math.floor(this.scheduler.nowMs),
    };
    log.push(appended);
    this.#onAppend({ topic, partition, record: appended, sentMs });
    for (const wake of this.#waiters) wake();
    return { partition, offset: appended.offset };
  }

  group(groupId: string): Coordinator {
    const known = this.#groups.get(groupId);
    if (known) return known;
    const group = new Coordinator(this);
    this.#groups.set(groupId, group);
    return group;
  }

  /** Calls the listener at each append until it is removed. */
  onNews(wake: () => void): () => void {
    this.#waiters.add(wake);
    return () => this.#waiters.delete(wake);
  }

  onDown(lost: () => void): () => void {
    this.#onDown.add(lost);
    return () => this.#onDown.delete(lost);
  }

  setUp(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    if (up) {
      for (const group of this.#groups.values()) group.seenAll();
      return;
    }
    this.incarnation += 1;
    for (const lost of [...this.#onDown]) lost();
    this.#onDown.clear();
  }
}
