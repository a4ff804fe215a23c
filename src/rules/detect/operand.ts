/**
 * The right side of a comparison: a literal, `<<path>>` (the values at another path of the same event; older rules write it with dots), or
 * `[[name]]` (the values of a variable of the sensor). Variables are not supported and have no values.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import type { Run, View } from '../view.ts';
import { type Path, parsePath, valuesAt } from './path.ts';
import type { Spec } from './spec.ts';

export type Operand<T> = (view: View, run: Run) => T;

const OTHER_PATH = /^<<([^<>]+)>>$/;
const VARIABLE = /^\[\[[^[\]]+\]\]$/;

/** `literal` checks and converts a literal, or throws a RuleError. `prepare` converts the values to the operand; for a literal only once, when
 *  the rule is compiled. */
export function compileOperand<T>(
  spec: Spec,
  literal: (value: unknown) => unknown,
  prepare: (values: readonly unknown[]) => T,
): Operand<T> {
  const value = spec.required('value');
  const otherPath = typeof value === 'string' ? pathOf(spec, value) : null;
  if (otherPath !== null) return (view, run) => prepare(valuesAt(view, otherPath, run));
  const isVariable = typeof value === 'string' && VARIABLE.test(value);
  const fixed = prepare(isVariable ? [] : [literal(value)]);
  return () => fixed;
}

function pathOf(spec: Spec, text: string): Path | null {
  const inside = OTHER_PATH.exec(text)?.[1]?.trim();
  if (inside === undefined) return null;
  const path = parsePath(inside, inside.includes('/') ? '/' : '.');
  if (path === null) throw spec.fault('value', `The path must have 1 to ${RULE_BOUNDS.segments} segments.`);
  return path;
}
