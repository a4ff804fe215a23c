/**
 * The counts per minute by `task-events`. Counts only grow, so Redis must have at least what the log had at the previous check, and
 * at most what the log has now. This also works for the current minute. Pure.
 */
import { type Counts, foldCounts, type LoggedEvent, minuteOf } from '../projector/stats.ts';

/** Less than a day, so that no minute expires during the comparison. */
const COMPARED_MINUTES = 23 * 60;

export class LoggedMinutes {
  readonly #byOrg = new Map<string, Counts>();

  take(oid: string, event: LoggedEvent, nowMs: number): void {
    const counts = this.#byOrg.get(oid) ?? new Map();
    this.#byOrg.set(oid, counts);
    for (const [minute, fields] of foldCounts([event], 0, nowMs)) {
      const known = counts.get(minute) ?? new Map<string, number>();
      counts.set(minute, known);
      for (const [field, count] of fields) known.set(field, (known.get(field) ?? 0) + count);
    }
  }

  of(oid: string, minute: number): Map<string, number> {
    return new Map(this.#byOrg.get(oid)?.get(minute));
  }

  minutes(oid: string): number[] {
    return [...(this.#byOrg.get(oid)?.keys() ?? [])];
  }
}

export const isCompared = (minute: number, nowMs: number): boolean => minute > minuteOf(nowMs) - COMPARED_MINUTES;
