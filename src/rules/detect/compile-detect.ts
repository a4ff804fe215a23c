/**
 * A detect part -> a compiled one. Whatever comes in, it either compiles or is refused with a RuleError that names the
 * place; a compiled rule that meets any JSON either answers or ends with a RuleFault, in bounded time.
 *
 * The filters of an operator (`event`, `events`, `times`) stand outside `not`: where they do not hold it is false, inverted or not.
 */
import { RuleError } from '../errors.ts';
import type { Test } from '../view.ts';
import { NOT_RUN, OPERATORS } from './operators/table.ts';
import type { SharedTests } from './shared-tests.ts';
import { Spec } from './spec.ts';
import { compileTimes } from './times.ts';

export type Target = (typeof TARGETS)[number];

/** `edr` and `detection` are run; a rule of another one is kept and never matches. */
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
  /** Names of the events that it sees; undefined: all of its target. */
  readonly events: readonly string[] | undefined;
  readonly test: Test;
};

/** Throws a RuleError whose path starts with `detect`. `shared`: the tests that it may have in common with other rules. */
export function compileDetect(value: unknown, at = 'detect', shared?: SharedTests): Detect {
  const compile = (spec: Spec): Test => compileOperator(spec, shared);
  const spec = new Spec(value, at, 1, { operators: 0, regexSteps: 0 }, compile);
  return { target: targetOf(spec), events: eventsOf(spec), test: compile(spec) };
}

function compileOperator(spec: Spec, shared: SharedTests | undefined): Test {
  const op = spec.text('op');
  const compile = OPERATORS.get(op);
  if (compile === undefined) throw spec.fault('op', `There is no operator "${op.slice(0, 100)}" here.`);
  const foreign = NOT_RUN.find((name) => spec.has(name));
  if (foreign !== undefined) throw spec.fault(foreign, `\`${foreign}\` is not run here.`);
  const own = compile(spec);
  const test = shared === undefined ? own : shared.of(spec.node, own);
  const not = spec.flag('not');
  const inTime = compileTimes(spec);
  const events = eventsOf(spec);
  const tested: Test = not ? (view, run) => !test(view, run) : test;
  if (events === undefined && inTime === undefined) return tested;
  const names = events === undefined ? undefined : new Set(events);
  return (view, run) => {
    if (names !== undefined && !names.has(run.eventType)) return false;
    return (inTime === undefined || inTime(run.asked.nowMs)) && tested(view, run);
  };
}

function targetOf(spec: Spec): Target {
  const value = spec.get('target') ?? 'edr';
  const target = TARGETS.find((one) => one === value);
  if (target === undefined) throw spec.fault('target', `It has to be one of ${TARGETS.join(', ')}.`);
  return target;
}

function eventsOf(spec: Spec): readonly string[] | undefined {
  const one = spec.get('event') ?? undefined;
  if (one !== undefined && typeof one !== 'string') throw spec.fault('event', 'It has to be the name of an event.');
  if ((spec.get('events') ?? undefined) === undefined) return one === undefined ? undefined : [one];
  const several = spec.list('events').map((name, index) => {
    if (typeof name !== 'string')
      throw new RuleError(`${spec.at}/events/${index}`, 'It has to be the name of an event.');
    return name;
  });
  return one === undefined ? several : [one, ...several];
}
