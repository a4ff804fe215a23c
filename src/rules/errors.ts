/**
 * The two errors of rules. A RuleError says why a rule is refused, and where: `path` leads from the top of the rule to the
 * fault (`detect/rules/1/op`). A RuleFault ends one evaluation: the event asks for more work than a rule may do.
 */

export class RuleError extends Error {
  readonly path: string;
  readonly sentence: string;
  /** The field that its action does not have, where that is the fault, and the nearest one that it has. */
  readonly unknown: { field: string; nearest: string | null } | undefined;

  constructor(path: string, sentence: string, unknown?: { field: string; nearest: string | null }) {
    super(`${path}: ${sentence}`);
    this.name = 'RuleError';
    this.path = path;
    this.sentence = sentence;
    this.unknown = unknown;
  }
}

export class RuleFault extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'RuleFault';
  }
}
