/** What is kept of how keys are used; no promise rests on it. Each call rejects with `unavailable` when Redis is away. */
export type KeyUse = {
  /** Counts a request of a credential in a window that begins with its first one; `leftMs` until the window ends. */
  count(credential: string, windowMs: number): Promise<{ requests: number; leftMs: number }>;
  /** The key of this name was used in the org at this time (Unix ms). */
  used(oid: string, name: string, atMs: number): Promise<void>;
  /** When each was used last, Unix ms; null where that is not known. */
  lastUses(oid: string, names: string[]): Promise<(number | null)[]>;
};
