/** Failures of outputs, held in Redis for the people who configure them. A loss of Redis loses them. */

export type OutputFailure = { readonly reason: string; readonly atMs: number; readonly undelivered: number };

export type OutputMemory = {
  /** `undelivered`: how many more events were given up. */
  noteFailures(failures: readonly (OutputFailure & { oid: string; output: string })[]): Promise<void>;
  /** By output: the last failure, and how many events were given up since the setting was written, at most in the last week. */
  failures(oid: string): Promise<Map<string, OutputFailure>>;
  forget(oid: string, output: string): Promise<void>;
};
