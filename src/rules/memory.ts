/** State that all responders share in Redis: suppression counts and the last fault of each rule. If Redis loses it, both start again. */

/** One addition to a count. Additions with the same `id` are repeats and count once. */
export type Count = {
  oid: string;
  key: string;
  id: string;
  by: number;
  periodMs: number;
  /** The action does not run above this count. Infinity: no limit. */
  maxCount: number;
};

export type RuleFaultNote = { oid: string; rule: string; sentence: string; atMs: number };

export type RuleMemory = {
  /** The count of the period before each addition, in order. */
  count(counts: Count[]): Promise<number[]>;
  noteFaults(faults: RuleFaultNote[]): Promise<void>;
  /** By rule, `hive/name`. */
  faults(oid: string): Promise<Map<string, { sentence: string; atMs: number }>>;
};
