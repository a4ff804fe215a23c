/** What is remembered of outputs that fail, in Redis, for who configures them. A loss starts it anew. */

export type OutputFailure = { readonly reason: string; readonly atMs: number; readonly undelivered: number };

export type OutputMemory = {
  /** `undelivered`: so many events more have been given up. */
  noteFailures(failures: readonly (OutputFailure & { oid: string; output: string })[]): Promise<void>;
  /** By output: the last failure, and how many events were given up since the output was set, or in the week before. */
  failures(oid: string): Promise<Map<string, OutputFailure>>;
  forget(oid: string, output: string): Promise<void>;
};
