/**
 * The two errors of rules. A RuleError refuses a rule; `path` leads from the root of the rule to the cause (`detect/rules/1/op`). A RuleFault
 * ends one evaluation, for example when it exceeds the work limit.
 */

export class RuleError extends Error {
  readonly path: string;
  readonly sentence: string;
  /** For an unknown field of an action: the field, and the most similar known field. */
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
