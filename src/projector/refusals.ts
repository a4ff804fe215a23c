/**
 * Which records were refused when they were first read: a replay must not judge them anew, by other clocks and settings. The dead
 * letters say so. They are read once for each share of partitions, and kept up by what this process refuses itself.
 */
import type { RolePorts } from '../ports.ts';
import { TOPICS } from '../topics.ts';
import { KINDS, type Kind, TOPIC_OF } from './positions.ts';

/** Places of refused records that are kept up; of more, all are read anew when they are asked for. */
const REFUSED_MAX = 200_000;

export class Refusals {
  readonly #ports: Pick<RolePorts, 'inbox' | 'config'>;
  #positions = new Set<string>();
  #known = false;
  /** Refused while the dead letters are read: their letters may stand behind what is read. null: none are read. */
  #meanwhile: Set<string> | null = null;
  #generation = 0;

  constructor(ports: Pick<RolePorts, 'inbox' | 'config'>) {
    this.#ports = ports;
  }

  has(kind: Kind, partition: number, offset: number): boolean {
    return this.#positions.has(placeOf(kind, partition, offset));
  }

  /** Tells of a refusal whose dead letter has just been written. */
  add(kind: Kind, partition: number, offset: number): void {
    const position = placeOf(kind, partition, offset);
    this.#meanwhile?.add(position);
    if (this.#positions.size >= REFUSED_MAX) this.#known = false;
    if (this.#known) this.#positions.add(position);
  }

  /** What is known counts no more; what is being read meanwhile neither. */
  forget(): void {
    this.#known = false;
    this.#generation += 1;
  }

  async load(): Promise<void> {
    if (this.#known) return;
    const generation = this.#generation;
    const refused = new Set<string>();
    this.#meanwhile = new Set();
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
    this.#positions = new Set([...refused, ...this.#meanwhile]);
    this.#meanwhile = null;
    this.#known = generation === this.#generation;
  }
}

const placeOf = (kind: Kind, partition: number, offset: number): string => `${TOPIC_OF[kind]}/${partition}/${offset}`;
