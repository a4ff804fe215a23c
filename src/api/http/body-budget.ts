/**
 * Limits the total bytes of concurrent request bodies, for each owner and for the process. An owner is a credential, or an address
 * on routes that need no token. A request is charged its announced length before its body is read. A body without an announced
 * length, or one that is unpacked, is charged as it arrives. The bytes are released when the response is sent or the connection is
 * closed, and the handler has ended. A body that exceeds the limit is refused immediately: it would only wait in memory.
 */
import { ApiError, unavailable } from '../../errors.ts';

/** An owner that holds no more than this is never refused, so a few large bodies cannot lock out other owners. */
const ALWAYS_BYTES = 65_536;
const RETRY_SECONDS = 1;

/** The bytes of one request. */
export type HeldBytes = {
  /** Charges more. Throws `rate_limited` above the limit of the owner, `unavailable` above the limit of the process. */
  add(bytes: number): void;
  /** Call when the response is sent, or the connection is closed. */
  release(): void;
  /** Keeps the bytes charged until `work` has ended, even if they are released meanwhile. */
  during<T>(work: () => T | Promise<T>): Promise<T>;
};

export class BodyBudget {
  readonly #ownerMax: number;
  readonly #processMax: number;
  readonly #byOwner = new Map<string, number>();
  #all = 0;

  /** Both in bytes. */
  constructor(ownerMax: number, processMax: number) {
    this.#ownerMax = ownerMax;
    this.#processMax = processMax;
  }

  /** Bytes in progress, of all owners. */
  get bytes(): number {
    return this.#all;
  }

  /** For one new request. */
  open(owner: string): HeldBytes {
    let held = 0;
    let working = 0;
    let isReleased = false;
    const isOver = () => isReleased && working === 0;
    const settle = () => {
      if (!isOver()) return;
      this.#giveBack(owner, held);
      held = 0;
    };
    return {
      add: (bytes) => {
        if (isOver()) return;
        this.#charge(owner, bytes);
        held += bytes;
      },
      release: () => {
        isReleased = true;
        settle();
      },
      during: async (work) => {
        working += 1;
        try {
          return await work();
        } finally {
          working -= 1;
          settle();
        }
      },
    };
  }

  #charge(owner: string, bytes: number): void {
    const mine = (this.#byOwner.get(owner) ?? 0) + bytes;
    if (mine > this.#ownerMax)
      throw new ApiError(
        'rate_limited',
        `Your concurrent request bodies exceed ${this.#ownerMax} bytes in total: send fewer at a time.`,
        { retryAfterSeconds: RETRY_SECONDS },
      );
    if (mine > ALWAYS_BYTES && this.#all + bytes > this.#processMax)
      throw unavailable('This process has reached its limit of concurrent request bodies.');
    this.#byOwner.set(owner, mine);
    this.#all += bytes;
  }

  #giveBack(owner: string, bytes: number): void {
    const rest = (this.#byOwner.get(owner) ?? 0) - bytes;
    if (rest > 0) this.#byOwner.set(owner, rest);
    else this.#byOwner.delete(owner);
    this.#all -= bytes;
  }
}
