/**
 * What is refused when a task is made, beyond the grammar: a field that no sensor has, and a regular expression that does
 * not compile. Both would make a task that silently waits for nobody. (On a record, the same selectors evaluate to 'error'.)
 */
import { type CollectionBinding, type ComparisonNode, SELECTOR_BOUNDS, type SelectorAst } from './ast.ts';
import { SelectorError } from './errors.ts';
import { isSensorField, SENSOR_FIELD_NAMES } from './fields.ts';
import { nearestName } from './nearest.ts';
import { parseSelector } from './parse.ts';
import { printPath } from './print.ts';
import { compileRegex, type RegexFailure, tooLarge } from './regex.ts';

export interface CheckedSelector {
  readonly ast: SelectorAst;
  /** `*` for null, '' and `*`; any other text as it was given. */
  readonly canonical: string;
}

/** Parses and checks a task's selector; throws SelectorError. */
export function checkSelector(text: string | null | undefined): CheckedSelector {
  const ast = parseSelector(text);
  check(ast, [], { steps: 0 });
  return { ast, canonical: ast.type === 'everything' ? '*' : (text ?? '*') };
}

/** The steps of all regular expressions seen so far: many of a tolerable size would cost as much as one huge one. */
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
      refuseUnknownField(node.path, node.pathColumn, bound, turned(node));
      if (node.operator === 'matches' || node.operator === 'not matches') refuseBadRegex(node, total);
      break;
    default:
      refuseUnknownField(node.path, node.column, bound);
  }
}

function names(binding: CollectionBinding): string[] {
  return [binding.default, binding.index, binding.item].filter((name) => name !== undefined);
}

/** For who wrote the field on the left of `in`. */
function turned({ operator, path, value }: ComparisonNode): string | undefined {
  if ((operator !== 'in' && operator !== 'not in') || !isSensorField(value) || path.length !== 1) return undefined;
  return `the field stands on the right of in: write ${value} ${operator === 'in' ? '==' : '!='} ${path[0]}`;
}

function refuseUnknownField(
  path: readonly string[],
  column: number,
  bound: readonly string[],
  hint?: string | undefined,
): void {
  const [first = ''] = path;
  if (bound.includes(first)) return;
  const partOfTag = first === 'tags' && path.length === 2;
  if (isSensorField(first) && (path.length === 1 || partOfTag)) return;
  throw new SelectorError({
    code: 'selector_unknown_field',
    column,
    found: printPath(path),
    expected: `a field of a sensor (${SENSOR_FIELD_NAMES.join(', ')})`,
    hint: isSensorField(first) ? `${first} has no parts of that name` : (hint ?? meantName(first, bound)),
  });
}

function meantName(name: string, bound: readonly string[]): string | undefined {
  const nearest = nearestName(name, bound);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return bound.length === 0 ? undefined : `items are called ${bound.join(', ')} here`;
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
