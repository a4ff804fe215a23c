/** Time, as the roles are given it, so that tests and simulations can give another. */

/** What time is made of; the rest follows from it. */
export type TimeSource = {
  /** Wall clock, Unix ms: for people and for records. */
  nowMs(): number;
  /** Never goes back; ms from some start: for leases, deadlines and durations. */
  monoMs(): number;
  /** Runs `work` once, `ms` from now; answers how to call it off. */
  after(ms: number, work: () => void): () => void;
  /** From 0 to below 1. Drawn here, so that who gives the time also decides about chance. */
  random(): number;
};

export type Clock = TimeSource & {
  delay(ms: number): Promise<void>;
  /** Runs `work` again `ms` after each run has ended, until stopped; `stop` waits for a run that is under way. */
  every(ms: number, work: () => Promise<void>): { stop(): Promise<void>; soon(): void };
};

export const clockOf = (source: TimeSource): Clock => ({
  ...source,
  delay: (ms) => new Promise((resolve) => source.after(ms, resolve)),
  every: (ms, work) => loop(source, ms, work),
});

export const systemClock: Clock = clockOf({
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
});

function loop(source: TimeSource, ms: number, work: () => Promise<void>): { stop(): Promise<void>; soon(): void } {
  let stopped = false;
  let wake = () => {};
  let asked = false;
  const running = (async () => {
    while (!stopped) {
      asked = false;
      await work();
      if (stopped || asked) continue;
      await new Promise<void>((resolve) => {
        const callOff = source.after(ms, resolve);
        wake = () => {
          callOff();
          resolve();
        };
      });
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      wake();
      await running;
    },
    soon: () => {
      asked = true;
      wake();
    },
  };
}

/** Waits before try number `attempt` (from 1): doubling from 50 ms to 2 s, with jitter, so that processes spread out. */
export const retryDelayMs = (attempt: number, random: number): number =>
  Math.min(50 * 2 ** Math.min(attempt - 1, 6), 2_000) * (0.5 + random / 2);

/** Repeats `work` until it does not throw. Gives up, answering undefined, as soon as `alive` says no. */
export async function persist<T>(
  clock: Clock,
  alive: () => boolean,
  work: () => Promise<T>,
  onError: (error: unknown) => void,
): Promise<T | undefined> {
  for (let attempt = 1; alive(); attempt += 1) {
    try {
      return await work();
    } catch (error) {
      onError(error);
      await clock.delay(retryDelayMs(attempt, clock.random()));
    }
  }
  return undefined;
}
