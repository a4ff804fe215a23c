/** What a rule may cost, at most. Beyond these it is refused when it is stored, or ends with a fault when it runs. */
export const RULE_BOUNDS = Object.freeze({
  /** Bytes of a rule's text, YAML or JSON. */
  textBytes: 262_144,
  /** Operators inside one another. */
  depth: 64,
  /** Operators of one rule. */
  operators: 1_000,
  /** Segments of a path. */
  segments: 64,
  /** Characters of one regular expression. */
  regexLength: 8_192,
  /** Steps of the regular expressions of one rule together. */
  regexSteps: 20_000,
  /** Characters of a text whose distance is taken; a longer one is far from everything. */
  distanceLength: 4_096,
  /** Actions in one `respond`. */
  actions: 64,
  /** Characters of one template, and of what it makes. */
  templateLength: 65_536,
  renderedLength: 1_048_576,
  /** Work of one evaluation of one rule: values visited (each counts as four), characters compared (16 count as one), steps of
   *  regular expressions (2 as one, of a long text 8). At the worst 100 ns each. */
  work: 10_000_000,
  /** Work of all rules of an org on one event and on the reports that it leads to. */
  eventWork: 30_000_000,
});
