/** The use of keys, for limits and for people; no guarantee depends on it. Each call rejects with `unavailable` if Redis is unavailable. */
export type KeyUse = {
  /** Counts a request of a credential in a window that starts with its first request; `leftMs` until the window ends. */
  count(credential: string, windowMs: number): Promise<{ requests: number; leftMs: number }>;
  /** The key of this name was used in the org at this time (Unix ms). */
  used(oid: string, name: string, atMs: number): Promise<void>;
  /** When each was used last, Unix ms; null: unknown. */
  lastUses(oid: string, names: string[]): Promise<(number | null)[]>;
};
