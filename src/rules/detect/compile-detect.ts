/**
 * Compiles a detect part. Any value either compiles or is refused with a RuleError that has the path to the cause. A compiled detect part
 * either returns a result or throws a RuleFault for any JSON, in bounded time.
 *
 * `not` does not apply to the filters of an operator (`event`, `events`, `times`): if a filter does not match, the operator is false.
 */
import { RuleError } from '../errors.ts';
import type { Test } from '../view.ts';
import { OPERATORS, UNSUPPORTED_PARAMETERS } from './operators/table.ts';
import type { SharedTests } from './shared-tests.ts';
import { Spec } from './spec.ts';
import { compileTimes } from './times.ts';

export type Target = (typeof TARGETS)[number];

/** Rules run for `edr` and `detection`. A rule with another target is stored and never matches. */
export const TARGETS = [
  'edr',
  'detection',
  'deployment',
  'artifact',
  'artifact_event',
  'schedule',
  'audit',
  'billing',
] as const;

export type Detect = {
  readonly target: Target;
  /** Types of the events that it sees. Undefined: all events of its target. */
  readonly events: readonly string[] | undefined;
  readonly test: Test;
};

/** Throws a RuleError whose path starts with `at`. `shared`: the tests that it shares with other rules. */
export function compileDetect(value: unknown, at = 'detect', shared?: SharedTests): Detect {
  const compile = (spec: Spec): Test => compileOperator(spec, shared);
  const spec = new Spec(value, at, 1, { operators: 0, regexSteps: 0 }, compile);
  return { target: targetOf(spec), events: eventsOf(spec), test: compile(spec) };
}

function compileOperator(spec: Spec, shared: SharedTests | undefined): Test {
  const op = spec.text('op');
  const operator = OPERATORS.get(op);
  if (operator === undefined) throw spec.fault('op', `There is no operator "${op.slice(0, 100)}".`);
  const unsupported = UNSUPPORTED_PARAMETERS.find((name) => spec.has(name));
  if (unsupported !== undefined) throw spec.fault(unsupported, `\`${unsupported}\` is not supported.`);
  const own = operator.compile(spec);
  const test = shared === undefined || operator.neverShared ? own : shared.of(spec.node, own);
  const not = spec.flag('not');
  const inTime = compileTimes(spec);
  const events = eventsOf(spec);
  const tested: Test = not ? (view, run) => !test(view, run) : test;
  if (events === undefined && inTime === undefined) return tested;
  const names = events === undefined ? undefined : new Set(events);
  return (view, run) => {
    if (names !== undefined && !names.has(run.eventType)) return false;
    return (inTime === undefined || inTime(run.context.nowMs)) && tested(view, run);
  };
}

function targetOf(spec: Spec): Target {
  const value = spec.get('target') ?? 'edr';
  const target = TARGETS.find((one) => one === value);
  if (target === undefined) throw spec.fault('target', `\`target\` must be one of ${TARGETS.join(', ')}.`);
  return target;
}

function eventsOf(spec: Spec): readonly string[] | undefined {
  const one = spec.get('event') ?? undefined;
  if (one !== undefined && typeof one !== 'string') throw spec.fault('event', '`event` must be the name of an event.');
  if ((spec.get('events') ?? undefined) === undefined) return one === undefined ? undefined : [one];
  const several = spec.list('events').map((name, index) => {
    if (typeof name !== 'string')
      throw new RuleError(`${spec.at}/events/${index}`, 'An item of `events` must be the name of an event.');
    return name;
  });
  return one === undefined ? several : [one, ...several];
}
