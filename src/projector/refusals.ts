/**
 * Which records were refused when they were first read. A replay must not judge them again with today's settings: the dead letters
 * say which they are. The dead letters are read once for each assignment of partitions. After that, this process adds its own
 * refusals.
 */
import type { RolePorts } from '../ports.ts';
import { TOPICS } from '../topics.ts';
import { KINDS, type Kind, TOPIC_OF } from './org-progress.ts';

/** Refused records that are held in memory. With more, the dead letters are read again when they are needed. */
const REFUSED_MAX = 200_000;

export class Refusals {
  readonly #ports: Pick<RolePorts, 'inbox' | 'config'>;
  /** `topic/partition/offset`. */
  #refused = new Set<string>();
  #isComplete = false;
  /** Refused while the dead letters are read: these can be behind the end of what is read. null: nothing is read now. */
  #refusedMeanwhile: Set<string> | null = null;
  #generation = 0;

  constructor(ports: Pick<RolePorts, 'inbox' | 'config'>) {
    this.#ports = ports;
  }

  has(kind: Kind, partition: number, offset: number): boolean {
    return this.#refused.has(recordId(kind, partition, offset));
  }

  /** Adds a record whose dead letter has just been written. */
  add(kind: Kind, partition: number, offset: number): void {
    const id = recordId(kind, partition, offset);
    this.#refusedMeanwhile?.add(id);
    if (this.#refused.size >= REFUSED_MAX) this.#isComplete = false;
    if (this.#isComplete) this.#refused.add(id);
  }

  /** For a new assignment of the partitions. It also makes a load in progress incomplete. */
  forget(): void {
    this.#isComplete = false;
    this.#generation += 1;
  }

  async load(): Promise<void> {
    if (this.#isComplete) return;
    const generation = this.#generation;
    const refused = new Set<string>();
    this.#refusedMeanwhile = new Set();
    const text = (value: unknown) => String(value ?? '');
    const { config, inbox } = this.#ports;
    const topics = new Map(
      KINDS.map((kind) => [config.KAFKA_TOPIC_PREFIX + TOPICS[TOPIC_OF[kind]].name, TOPIC_OF[kind]]),
    );
    await inbox.readAll('deadLetter', (records) => {
      for (const { headers } of records) {
        const topic = topics.get(text(headers['rt-source-topic']));
        if (topic) refused.add(`${topic}/${text(headers['rt-source-partition'])}/${text(headers['rt-source-offset'])}`);
      }
    });
    this.#refused = new Set([...refused, ...this.#refusedMeanwhile]);
    this.#refusedMeanwhile = null;
    this.#isComplete = generation === this.#generation;
  }
}

const recordId = (kind: Kind, partition: number, offset: number): string => `${TOPIC_OF[kind]}/${partition}/${offset}`;
