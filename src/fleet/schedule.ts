/**
 * Who goes on or off next. Guarantees: the sequence follows from the seed and from who is online at each step; only sensors
 * that take part move; about three quarters of them are online after a while, whatever the start. No I/O, no clock.
 */
import { randomOf } from './random.ts';

export type Change = { sid: string; to: 'online' | 'offline' };

export type Schedule = {
  /** The next change; undefined when nobody takes part. `online` is the state before it, `onlineCount` how many of those
   *  that take part are online (given, because counting a large fleet at each step would cost more than the step). */
  next(online: (sid: string) => boolean, onlineCount: number): Change | undefined;
};

const ONLINE_SHARE = 0.75;
/** Chance of a step towards the share; the rest keeps the crowd moving. */
const TOWARDS = 0.75;

export function createSchedule(seed: number, sids: readonly string[]): Schedule {
  const random = randomOf('schedule', seed);

  /** The first sensor in the wanted state, from a random place onwards. */
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
