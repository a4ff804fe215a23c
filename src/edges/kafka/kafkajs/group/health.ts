/**
 * Whether a member of a group gets records, and if not, why: for /readyz. A consumer that has stopped is restarted, and looks joined
 * until it gets the same batch again. A consumer whose broker is away looks joined all the time. So this class judges by events: a
 * stop counts for a while, and silence counts after a few seconds (a fetch has an answer every 50 ms, with or without records). Pure:
 * it gets the time as an argument.
 */

/** How long a stop counts. Milliseconds. */
const STOP_COUNTS_MS = 10_000;
const SILENCE_MS = 5_000;

export class GroupHealth {
  #stop: { why: string; atMs: number } | null = null;
  #movedAtMs: number;
  #working = 0;

  constructor(nowMs: number) {
    this.#movedAtMs = nowMs;
  }

  /** The consumer has stopped, and will be restarted. */
  stopped(error: Error, nowMs: number): void {
    this.#stop = { why: `${error.name}: ${error.message}`, atMs: nowMs };
  }

  /** Kafka has answered a fetch, or the member has just joined. */
  moved(nowMs: number): void {
    this.#movedAtMs = nowMs;
  }

  /** A batch is in work, so that nothing may be fetched. Call the returned function when the batch is done. */
  working(nowMs: () => number): () => void {
    this.#working += 1;
    return () => {
      this.#working -= 1;
      this.#movedAtMs = nowMs();
    };
  }

  /** For how long it has neither fetched nor joined; 0 while a batch is in work. */
  silentMs(nowMs: number): number {
    return this.#working > 0 ? 0 : nowMs - this.#movedAtMs;
  }

  /** A sentence for people, or null. `holds`: the member holds partitions, so that there is something to fetch. */
  fault(holds: boolean, nowMs: number): string | null {
    if (this.#stop && nowMs - this.#stop.atMs < STOP_COUNTS_MS)
      return `the consumer stopped and is restarted (${this.#stop.why})`;
    const silentMs = this.silentMs(nowMs);
    if (holds && silentMs > SILENCE_MS) return `Kafka has answered no fetch for ${Math.round(silentMs / 1000)} s`;
    return null;
  }
}
