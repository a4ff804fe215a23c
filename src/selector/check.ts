/**
 * What is refused when a task is made, beyond the grammar: a field that no sensor has, and a regular expression that does
 * not compile. Both would make a task that silently waits for nobody. (On a record, the same selectors evaluate to 'error'.)
 */
import type { CollectionBinding, ComparisonNode, SelectorAst } from './ast.ts';
import { SelectorError } from './errors.ts';
import { isSensorField, nearestField, SENSOR_FIELD_NAMES } from './fields.ts';
import { parseSelector } from './parse.ts';
import { printPath } from './print.ts';
import { compileRegex } from './regex.ts';

export interface CheckedSelector {
  readonly ast: SelectorAst;
  /** `*` for null, '' and `*`; any other text as it was given. */
  readonly canonical: string;
}

/** Parses and checks a task's selector; throws SelectorError. */
export function checkSelector(text: string | null | undefined): CheckedSelector {
  const ast = parseSelector(text);
  check(ast, []);
  return { ast, canonical: ast.type === 'everything' ? '*' : (text ?? '*') };
}

function check(node: SelectorAst, bound: readonly string[]): void {
  switch (node.type) {
    case 'everything':
      break;
    case 'not':
      check(node.operand, bound);
      break;
    case 'and':
    case 'or':
      for (const operand of node.operands) check(operand, bound);
      break;
    case 'collection':
      refuseUnknownField(node.path, node.pathColumn, bound);
      check(node.operand, [...bound, ...names(node.binding)]);
      break;
    case 'comparison':
      refuseUnknownField(node.path, node.pathColumn, bound);
      if (node.operator === 'matches' || node.operator === 'not matches') refuseBadRegex(node);
      break;
    default:
      refuseUnknownField(node.path, node.column, bound);
  }
}

function names(binding: CollectionBinding): string[] {
  return [binding.default, binding.index, binding.item].filter((name) => name !== undefined);
}

function refuseUnknownField(path: readonly string[], column: number, bound: readonly string[]): void {
  const [first = ''] = path;
  if (bound.includes(first)) return;
  const partOfTag = first === 'tags' && path.length === 2;
  if (isSensorField(first) && (path.length === 1 || partOfTag)) return;
  const known = isSensorField(first);
  throw new SelectorError({
    code: 'selector_unknown_field',
    column,
    found: printPath(path),
    expected: `a field of a sensor (${SENSOR_FIELD_NAMES.join(', ')})`,
    hint: known ? `${first} has no parts of that name` : `did you mean ${nearestField(first)}?`,
  });
}

function refuseBadRegex(node: ComparisonNode): void {
  const compiled = compileRegex(node.value);
  if ('regex' in compiled) return;
  const { code, expected, hint } = compiled.failure;
  throw new SelectorError({ code, column: node.valueColumn, found: JSON.stringify(node.value), expected, hint });
}
