/**
 * Decides which sensor connects or disconnects next. Guarantees: the sequence follows from the seed and from the online sensors at
 * each step; only sensors in the schedule change; after a while, about three quarters of them are online. No I/O, no clock.
 */
import { randomOf } from './random.ts';

export type Change = { sid: string; to: 'online' | 'offline' };

export type Schedule = {
  /** The next change; undefined if the schedule has no sensors. `online` is the state before the change. `onlineCount` is the
   *  number of online sensors in the schedule; the caller keeps it, because counting a large fleet costs more than the step. */
  next(online: (sid: string) => boolean, onlineCount: number): Change | undefined;
};

const ONLINE_SHARE = 0.75;
/** Probability of a step towards the share. The other steps keep sensors connecting and disconnecting. */
const TOWARDS = 0.75;

export function createSchedule(seed: number, sids: readonly string[]): Schedule {
  const random = randomOf('schedule', seed);

  /** The first sensor in the wanted state, from a random index on. */
  function pick(wanted: boolean, online: (sid: string) => boolean): string | undefined {
    const start = Math.floor(random() * sids.length);
    for (let i = 0; i < sids.length; i++) {
      const sid = sids[(start + i) % sids.length] as string;
      if (online(sid) === wanted) return sid;
    }
    return undefined;
  }

  return {
    next(online, onlineCount) {
      if (sids.length === 0) return undefined;
      const tooMany = onlineCount > sids.length * ONLINE_SHARE;
      const goesOff = random() < TOWARDS ? tooMany : !tooMany;
      const sid = pick(goesOff, online) ?? pick(!goesOff, online);
      return sid === undefined ? undefined : { sid, to: online(sid) ? 'offline' : 'online' };
    },
  };
}

/** How many changes are due at `elapsedMs` beyond those already `done`, at `ratePerSecond`. */
export const dueChanges = (elapsedMs: number, ratePerSecond: number, done: number): number =>
  Math.max(0, Math.floor((elapsedMs / 1000) * ratePerSecond) - done);
