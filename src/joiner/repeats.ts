/**
 * Up to where receipts may have been settled without being told, by partition of `sensor-events`: repeats below that offset are
 * told again.
 */
import type { RolePorts } from '../ports.ts';

export class Repeats {
  readonly #below = new Map<number, number>();
  /** Of which partitions the end was asked for since they were shared out. */
  readonly #ends = new Map<number, Promise<void>>();
  readonly #inbox: Pick<RolePorts['inbox'], 'ends'>;

  constructor(inbox: Pick<RolePorts['inbox'], 'ends'>) {
    this.#inbox = inbox;
  }

  below(partition: number): number {
    return this.#below.get(partition) ?? 0;
  }

  tell(partition: number, below: number): void {
    this.#below.set(partition, Math.max(below, this.below(partition)));
  }

  /** Partitions are shared out anew. Another owner may have settled receipts meanwhile without telling; what was ours before
   *  says nothing about that. */
  forget(): void {
    this.#below.clear();
    this.#ends.clear();
  }

  /** All that stands there now, asked once since the partition was shared out. Rejects where it can't be read. */
  toEnd(partition: number): Promise<void> {
    const reading = this.#ends.get(partition) ?? this.#readEnd(partition);
    this.#ends.set(partition, reading);
    return reading;
  }

  async #readEnd(partition: number): Promise<void> {
    try {
      const ends = await this.#inbox.ends('sensorEvents');
      this.tell(partition, ends.get(partition)?.high ?? 0);
    } catch (error) {
      this.#ends.delete(partition);
      throw error;
    }
  }
}
