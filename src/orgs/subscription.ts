/**
 * Subscriptions to the extension. Past periods are kept: commands that were appended in them stay valid, so that a replay decides the
 * same. Periods that ended before the oldest record of the log are dropped.
 */
import { ApiError } from '../errors.ts';
import type { Settings } from './settings.ts';
import { EXTENSION, type Period, periodsOf } from './table.ts';

/** The periods after a change; null: nothing changes. */
type Change = (periods: readonly Period[], nowMs: number) => Period[] | null;

const isOpen = ({ to }: Period): boolean => to === undefined;

/** A task is checked by the time of the broker, which may be behind our clock. A task that is queued directly after the subscription must
 *  be accepted. */
const SKEW_MS = 2_000;

export const subscribed: Change = (periods, nowMs) =>
  periods.some(isOpen) ? null : [...periods, { from: nowMs - SKEW_MS }];

/** A period without a length is dropped. */
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

/** Changes the subscription of an org, safe against concurrent changes; a repeat changes nothing. `keptMs`: the retention of the log.
 *  Rejects like `Settings.write`. */
export async function changeSubscription(
  settings: Settings,
  change: Change,
  { oid, by, nowMs, keptMs }: { oid: string; by: string; nowMs: number; keptMs: number },
): Promise<void> {
  // Another process may have changed it just before, so read the log before deciding that nothing changes.
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
