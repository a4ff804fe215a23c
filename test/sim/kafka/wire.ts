/**
 * One connection of a process to a server: requests arrive in order, answers come back in order. A broken connection gives no more
 * answers, whether or not the requests were executed.
 */
import type { Random } from '../random.ts';
import type { Proc, Scheduler } from '../scheduler.ts';

/** What a wire needs to know about its server. */
export type Server = {
  readonly up: boolean;
  readonly incarnation: number;
  onDown(lost: () => void): () => void;
};

export type WireOptions = {
  scheduler: Scheduler;
  random: Random;
  proc: Proc;
  server: Server;
  /** Milliseconds one way, in addition to the usual latency. */
  extraMs(): number;
  lost(): Error;
};

export class Wire {
  readonly #options: WireOptions;
  #arrivesMs = 0;
  #answersMs = 0;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /** Runs `work` on the server and returns its result or error. Rejects with `lost()` if the connection breaks. */
  call<T>(work: () => T | Promise<T>): Promise<T> {
    const { scheduler, server, proc, lost } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const answer = (settle: () => void): void => {
        this.#answersMs = Math.max(this.#answersMs, scheduler.nowMs + this.#latency());
        scheduler.after(this.#answersMs - scheduler.nowMs, settle, proc);
      };
      if (!server.up) {
        answer(() => reject(lost()));
        return;
      }
      let over = false;
      const settle = (run: () => void): void => {
        if (over) return;
        over = true;
        callOff();
        answer(run);
      };
      const callOff = server.onDown(() => settle(() => reject(lost())));
      const { incarnation } = server;
      this.#arrivesMs = Math.max(this.#arrivesMs, scheduler.nowMs + this.#latency());
      scheduler.after(this.#arrivesMs - scheduler.nowMs, () => {
        if (server.incarnation !== incarnation) return;
        run(work).then(
          (value) => settle(() => resolve(value)),
          (error) => settle(() => reject(error)),
        );
      });
    });
  }

  #latency(): number {
    const { random, extraMs } = this.#options;
    return random.between(0.1, 2) + (random.chance(0.02) ? random.between(0, 80) : 0) + extraMs();
  }
}

async function run<T>(work: () => T | Promise<T>): Promise<T> {
  return work();
}
