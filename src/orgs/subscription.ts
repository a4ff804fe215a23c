/**
 * Subscriptions to the extension. The periods of the past are kept: what was appended in them stays valid, so that a replay
 * judges as the first time. Those that ended before anything that the log still has are dropped.
 */
import { ApiError } from '../errors.ts';
import type { Settings } from './settings.ts';
import { EXTENSION, type Period, periodsOf } from './table.ts';

/** The periods after a change; null when it changes nothing. */
type Change = (periods: readonly Period[], nowMs: number) => Period[] | null;

const isOpen = ({ to }: Period): boolean => to === undefined;

/** A task is judged by the clock of the broker that appended it, which may be behind ours: what is queued as soon as the
 *  answer is here must count. */
const SKEW_MS = 2_000;

export const subscribed: Change = (periods, nowMs) =>
  periods.some(isOpen) ? null : [...periods, { from: nowMs - SKEW_MS }];

/** A period that would end as it begins is none. */
export const unsubscribed: Change = (periods, nowMs) =>
  periods.some(isOpen)
    ? periods
        .map((period) => (isOpen(period) ? { ...period, to: Math.max(nowMs, period.from) } : period))
        .filter(({ from, to }) => to === undefined || to > from)
    : null;

/** Without the periods that ended before `oldestMs`. */
export const since = (periods: readonly Period[], oldestMs: number): Period[] =>
  periods.filter(({ to }) => to === undefined || to >= oldestMs);

const TRIES = 5;

/** Changes the subscription of an org, whoever else does so meanwhile; repeats change nothing. `keptMs`: for how long the
 *  log has records. Rejects as `Settings.write`. */
export async function changeSubscription(
  settings: Settings,
  change: Change,
  { oid, by, nowMs, keptMs }: { oid: string; by: string; nowMs: number; keptMs: number },
): Promise<void> {
  // Another process may have changed it just before; "nothing to do" must not rest on an old table.
  await settings.refresh();
  for (let attempt = 1; ; attempt += 1) {
    const found = settings.get(oid, 'SUBSCRIPTION', EXTENSION);
    const periods = change(periodsOf(found?.value ?? null), nowMs);
    if (periods === null) return;
    try {
      const value = { ...found?.value, periods: since(periods, nowMs - keptMs) };
      const name = EXTENSION;
      await settings.write({ oid, kind: 'SUBSCRIPTION', name, value, by, ifEtag: found?.etag ?? '' });
      return;
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'etag_mismatch') || attempt === TRIES) throw error;
    }
  }
}
