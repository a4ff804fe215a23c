/**
 * Checks of a task's selector beyond the grammar: unknown fields and bad regular expressions are refused. A task with either would
 * silently select no sensor, because on a record such clauses evaluate to 'error'.
 */
import type { CollectionBinding, ComparisonNode, SelectorAst } from '../ast.ts';
import { SELECTOR_BOUNDS } from '../bounds.ts';
import { SelectorError } from '../errors.ts';
import { COMPARISONS } from '../operators/table.ts';
import { compileRegex, type RegexFailure, tooLarge } from '../regex/compile-regex.ts';
import { parseSelector } from './parse.ts';
import { refuseUnknownField, swappedSides } from './unknown-field.ts';

export interface CheckedSelector {
  readonly ast: SelectorAst;
  /** `*` for null, '' and `*`; the given text otherwise. */
  readonly canonical: string;
}

/** Parses and checks the selector of a task. Throws SelectorError. */
export function checkSelector(text: string | null | undefined): CheckedSelector {
  const ast = parseSelector(text);
  check(ast, [], { steps: 0 });
  return { ast, canonical: ast.type === 'everything' ? '*' : (text ?? '*') };
}

/** Steps of all regular expressions so far: many of a tolerable size cost as much as one huge expression. */
interface RegexTotal {
  steps: number;
}

function check(node: SelectorAst, bound: readonly string[], total: RegexTotal): void {
  switch (node.type) {
    case 'everything':
      break;
    case 'not':
      check(node.operand, bound, total);
      break;
    case 'and':
    case 'or':
      for (const operand of node.operands) check(operand, bound, total);
      break;
    case 'collection':
      refuseUnknownField(node.path, node.pathColumn, bound);
      check(node.operand, [...bound, ...names(node.binding)], total);
      break;
    case 'comparison':
      refuseUnknownField(node.path, node.pathColumn, bound, swappedSides(node));
      if (COMPARISONS[node.operator].valueIs === 'regex') refuseBadRegex(node, total);
      break;
    case 'state':
      refuseUnknownField(node.path, node.column, bound);
  }
}

function names(binding: CollectionBinding): string[] {
  return [binding.default, binding.index, binding.item].filter((name) => name !== undefined);
}

function refuseBadRegex(node: ComparisonNode, total: RegexTotal): void {
  const compiled = compileRegex(node.value);
  const failure = 'regex' in compiled ? tooManySteps(compiled.steps, total) : compiled.failure;
  if (failure === null) return;
  throw new SelectorError({ ...failure, column: node.valueColumn, found: JSON.stringify(node.value) });
}

function tooManySteps(steps: number, total: RegexTotal): RegexFailure | null {
  total.steps += steps;
  return total.steps > SELECTOR_BOUNDS.regexSteps ? tooLarge() : null;
}
