/** Limits on selectors. Exceeding a limit of the text has its own error code; exceeding one of an evaluation gives the verdict 'error'. */
export const SELECTOR_BOUNDS = Object.freeze({
  /** UTF-8 bytes of the whole text. */
  textBytes: 8192,
  /** Nesting levels of parentheses and any/all. */
  depth: 100,
  /** Comparisons, `is` clauses and any/all together. */
  terms: 512,
  /** Characters of one regular expression. */
  regexLength: 1024,
  /** Compiled steps of all regular expressions of one selector. Matching costs at most this many steps per character. */
  regexSteps: 10_000,
  /** Characters times steps: the work of the regular expressions of one selector on one sensor. */
  regexWork: 1_048_576,
  /** Items that any/all may visit in one evaluation. Nested loops multiply. */
  itemVisits: 100_000,
  /** Clauses that any/all may evaluate on items in one evaluation. */
  itemClauses: 2_000_000,
});
