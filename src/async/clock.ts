/** Time, which the roles get as an argument, so that tests and simulations can replace it. */

/** The basic functions of a clock; the others follow from them. */
export type TimeSource = {
  /** The wall clock, Unix ms: for people and for records. */
  nowMs(): number;
  /** Never goes back, ms since some start: for leases, deadlines and durations. */
  monoMs(): number;
  /** Runs `work` once, in `ms`; returns a function that cancels it. */
  after(ms: number, work: () => void): () => void;
  /** At least 0 and below 1. It is part of the clock, so that a simulation controls random numbers, too. */
  random(): number;
};

export type Clock = TimeSource & {
  delay(ms: number): Promise<void>;
  /** Runs `work`, and again `ms` after the end of each run. `stop` waits for the current run; `soon` starts the next one now. */
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
        const cancel = source.after(ms, resolve);
        wake = () => {
          cancel();
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

/** The wait after failed attempt number `attempt` (from 1): doubling from 50 ms to 2 s, with jitter, so that processes spread out. */
export const retryDelayMs = (attempt: number, random: number): number =>
  Math.min(50 * 2 ** Math.min(attempt - 1, 6), 2_000) * (0.5 + random / 2);

/** Repeats `work` until it does not throw. Returns undefined once `alive` returns false. */
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
