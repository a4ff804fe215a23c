/** Compiles a whole rule `{detect, respond}`. Other fields are ignored. */

import { compileDetect, type Detect } from './detect/compile-detect.ts';
import type { SharedTests } from './detect/shared-tests.ts';
import { RuleError } from './errors.ts';
import { type Action, parseRespond, type Unrunnable } from './respond/actions.ts';
import { isObject } from './view.ts';

export type Rule = {
  readonly detect: Detect;
  readonly respond: readonly (Action | Unrunnable)[];
  /** Parts of the rule that have no effect, and why. They do not prevent storing the rule. */
  readonly warnings: readonly string[];
};

/** Throws a RuleError if the detect part cannot run or `respond` is not a list. */
export function compileRule(data: unknown, shared?: SharedTests): Rule {
  if (!isObject(data)) throw new RuleError('detect', 'A rule must be an object with `detect` and `respond`.');
  if (data.detect === undefined) throw new RuleError('detect', 'The rule has no `detect`.');
  const detect = compileDetect(data.detect, 'detect', shared);
  const respond = parseRespond(data.respond);
  const problems = respond.flatMap((one) => ('problem' in one ? [one.problem] : []));
  const warnings = respond.length === 0 ? ['respond: The rule has no actions.'] : problems;
  return { detect, respond, warnings };
}
