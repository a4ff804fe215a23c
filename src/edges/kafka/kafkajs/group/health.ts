/**
 * Whether a member of a group gets records, and if not, why: for /readyz. A consumer that has stopped starts again by itself,
 * and looks joined until it meets the same batch once more; one whose broker is away looks joined for as long as it is. So
 * this goes by what happened last: a stop counts until records have flowed for a while, silence counts after a few seconds
 * (a fetch is answered every 50 ms, empty or not). Pure: it is told the time.
 */

/** A stop is forgotten when nothing like it happened for this long. Milliseconds. */
const STOP_COUNTS_MS = 10_000;
const SILENCE_MS = 5_000;

export class GroupHealth {
  #stop: { why: string; atMs: number } | null = null;
  #movedAtMs: number;
  #working = 0;

  constructor(nowMs: number) {
    this.#movedAtMs = nowMs;
  }

  /** The consumer has stopped; it will be started again. */
  stopped(error: Error, nowMs: number): void {
    this.#stop = { why: `${error.name}: ${error.message}`, atMs: nowMs };
  }

  /** Kafka has answered a fetch, or the member has just joined. */
  moved(nowMs: number): void {
    this.#movedAtMs = nowMs;
  }

  /** A batch is worked on: meanwhile nothing may be fetched. Call what is answered when it is done. */
  working(nowMs: () => number): () => void {
    this.#working += 1;
    return () => {
      this.#working -= 1;
      this.#movedAtMs = nowMs();
    };
  }

  /** For how long it has neither fetched nor joined; 0 while a batch is worked on. */
  silentMs(nowMs: number): number {
    return this.#working > 0 ? 0 : nowMs - this.#movedAtMs;
  }

  /** A sentence for people, or null. `holds`: the member holds partitions, so that there is something to fetch. */
  fault(holds: boolean, nowMs: number): string | null {
    if (this.#stop && nowMs - this.#stop.atMs < STOP_COUNTS_MS)
      return `the consumer stopped and starts again (${this.#stop.why})`;
    const silentMs = this.silentMs(nowMs);
    if (holds && silentMs > SILENCE_MS) return `Kafka has answered no fetch for ${Math.round(silentMs / 1000)} s`;
    return null;
  }
}
