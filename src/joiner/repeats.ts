/**
 * Below which offset of a partition of `sensor-events` a repeated receipt still needs its event. A receipt can be acknowledged
 * without its event being written: by an earlier owner, or by a batch that failed. So the events of repeats below that offset are
 * written again.
 */
import type { RolePorts } from '../ports.ts';

export class Repeats {
  readonly #below = new Map<number, number>();
  /** Reads of the end of a partition since the last assignment. */
  readonly #ends = new Map<number, Promise<void>>();
  readonly #inbox: Pick<RolePorts['inbox'], 'ends'>;

  constructor(inbox: Pick<RolePorts['inbox'], 'ends'>) {
    this.#inbox = inbox;
  }

  below(partition: number): number {
    return this.#below.get(partition) ?? 0;
  }

  raise(partition: number, below: number): void {
    this.#below.set(partition, Math.max(below, this.below(partition)));
  }

  /** The group has assigned partitions again. Another owner may have acknowledged receipts meanwhile without writing events. */
  reset(): void {
    this.#below.clear();
    this.#ends.clear();
  }

  /** Raises the offset to the end of the log, once per assignment. Rejects if the end cannot be read. */
  raiseToEnd(partition: number): Promise<void> {
    const reading = this.#ends.get(partition) ?? this.#readEnd(partition);
    this.#ends.set(partition, reading);
    return reading;
  }

  async #readEnd(partition: number): Promise<void> {
    try {
      const ends = await this.#inbox.ends('sensorEvents');
      this.raise(partition, ends.get(partition)?.high ?? 0);
    } catch (error) {
      this.#ends.delete(partition);
      throw error;
    }
  }
}
