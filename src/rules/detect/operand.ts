/**
 * The right side of a comparison: a literal, `<<path>>` (the values at another path of the same event; older text spells it
 * with dots) or `[[name]]` (the values of this sensor's variable). Variables are not kept here: theirs is always empty.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import type { Run, View } from '../view.ts';
import { type Path, parsePath, valuesAt } from './path.ts';
import type { Spec } from './spec.ts';

export type Operand<T> = (view: View, run: Run) => T;

const ELSEWHERE = /^<<([^<>]+)>>$/;
const VARIABLE = /^\[\[[^[\]]+\]\]$/;

/** `literal` checks and prepares a literal, throwing a RuleError where it does not do. `prepare` makes what is compared of the
 *  values: of a literal once, when the rule is compiled. */
export function compileOperand<T>(
  spec: Spec,
  literal: (value: unknown) => unknown,
  prepare: (values: readonly unknown[]) => T,
): Operand<T> {
  const value = spec.needed('value');
  const elsewhere = typeof value === 'string' ? pathOf(spec, value) : null;
  if (elsewhere !== null) return (view, run) => prepare(valuesAt(view, elsewhere, run));
  const isVariable = typeof value === 'string' && VARIABLE.test(value);
  const fixed = prepare(isVariable ? [] : [literal(value)]);
  return () => fixed;
}

function pathOf(spec: Spec, text: string): Path | null {
  const inside = ELSEWHERE.exec(text)?.[1]?.trim();
  if (inside === undefined) return null;
  const path = parsePath(inside, inside.includes('/') ? '/' : '.');
  if (path === null) throw spec.fault('value', `The path has more than ${RULE_BOUNDS.segments} segments, or none.`);
  return path;
}
