/** What responders remember together, in Redis: suppression counts and the last fault of each rule. A loss starts both anew. */

/** One time that counts. `id` tells repeats of the same time: they are counted once. */
export type Count = {
  oid: string;
  key: string;
  id: string;
  by: number;
  periodMs: number;
  /** Times beyond which nothing is run; Infinity for no limit. */
  maxCount: number;
};

export type RuleFaultNote = { oid: string; rule: string; sentence: string; atMs: number };

export type RuleMemory = {
  /** The count of the period before each of these, in their order. */
  count(counts: Count[]): Promise<number[]>;
  noteFaults(faults: RuleFaultNote[]): Promise<void>;
  /** By rule, `hive/name`. */
  faults(oid: string): Promise<Map<string, { sentence: string; atMs: number }>>;
};
