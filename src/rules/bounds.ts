/** Limits on rules. A rule that exceeds one is refused when it is stored, or ends with a fault when it runs. */
export const RULE_BOUNDS = Object.freeze({
  /** Bytes of the text of a rule, YAML or JSON. */
  textBytes: 262_144,
  /** Nesting levels of operators. */
  depth: 64,
  /** Operators of one rule. */
  operators: 1_000,
  /** Segments of a path. */
  segments: 64,
  /** Characters of one regular expression. */
  regexLength: 8_192,
  /** Compiled steps of all regular expressions of one rule. */
  regexSteps: 20_000,
  /** Characters of a text in `string distance`. A longer text never matches. */
  distanceLength: 4_096,
  /** Actions in one `respond`. */
  actions: 64,
  /** Characters of one template, and of its output. */
  templateLength: 65_536,
  renderedLength: 1_048_576,
  /** Units of work of one rule on one event: 4 for each visited value, 1 for 16 compared characters, 1 for 2 steps of a regular
   *  expression (for 8 steps on a long text). A unit takes at most 100 ns. */
  work: 10_000_000,
  /** Units of work of all rules of an org on one event and the reports that it causes. */
  eventWork: 30_000_000,
});
