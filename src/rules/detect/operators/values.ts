/** Operators that test whether a value exists, or compare numbers and times. */

import type { Run, Test } from '../../view.ts';
import { compileOperand } from '../operand.ts';
import { nodesAt, someValue, valuesAndListsAt } from '../path.ts';
import type { Spec } from '../spec.ts';
import type { Operators } from './operator.ts';

/** With `truthy`, null and the empty text count as absent. 0 and false do not. */
function exists(spec: Spec): Test {
  const path = spec.path();
  const truthy = spec.flag('truthy');
  return (view, run) =>
    truthy
      ? valuesAndListsAt(view, path, run).some((value) => value !== null && value !== '' && value !== undefined)
      : nodesAt(view, path, run).some((value) => value !== undefined);
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;

/** A number, or a text with the syntax of a number. */
function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.length <= 64 && DECIMAL.test(value.trim()) ? Number(value) : undefined;
}

function lengthOf(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'string') return undefined;
  let length = 0;
  for (const _ of value) length += 1;
  return length;
}

function compareNumbers(spec: Spec, matches: (value: number, limit: number) => boolean): Test {
  const literal = (value: unknown): number => {
    const number = asNumber(value);
    if (number === undefined) throw spec.fault('value', '`value` must be a number.');
    return number;
  };
  const limits = compileOperand(spec, literal, (values) => values.map(asNumber).filter((one) => one !== undefined));
  const path = spec.path();
  const lengths = spec.flag('length of');
  const matchesAny = (value: unknown, wanted: readonly number[], run: Run): boolean => {
    run.spend(wanted.length + (lengths && typeof value === 'string' ? value.length / 16 : 0));
    const number = lengths ? lengthOf(value) : asNumber(value);
    if (number === undefined) return false;
    for (const limit of wanted) if (matches(number, limit)) return true;
    return false;
  };
  return (view, run) => {
    const wanted = limits(view, run);
    if (!lengths) return someValue(view, path, run, wanted, matchesAny);
    // `length of` applies to a list as a whole, not to its elements.
    return nodesAt(view, path, run).some((value) => matchesAny(value, wanted, run));
  };
}

const isGreaterThan = (spec: Spec): Test => compareNumbers(spec, (value, limit) => value > limit);
const isLowerThan = (spec: Spec): Test => compareNumbers(spec, (value, limit) => value < limit);

/** A larger time is in milliseconds: in seconds it would be after the year 5000. */
const SECONDS_MAX = 100_000_000_000;

function isOlderThan(spec: Spec): Test {
  const path = spec.path();
  const limitMs = spec.number('seconds', 0) * 1000;
  const isOlder = (value: unknown, _: undefined, run: Run): boolean => {
    const time = asNumber(value);
    if (time === undefined) return false;
    return run.context.nowMs - (Math.abs(time) > SECONDS_MAX ? time : time * 1000) > limitMs;
  };
  return (view, run) => someValue(view, path, run, undefined, isOlder);
}

export const VALUE_OPERATORS: Operators = {
  exists: { compile: exists },
  'is greater than': { compile: isGreaterThan },
  'is lower than': { compile: isLowerThan },
  'is older than': { compile: isOlderThan },
};
