/** Operators that compare values and texts: equality, parts of a text, regular expressions, distance, lookups. */
import { compileRegex } from '../../../selector/regex/compile-regex.ts';
import { RULE_BOUNDS } from '../../bounds.ts';
import type { Run, Test } from '../../view.ts';
import { compileOperand } from '../operand.ts';
import { someValue } from '../path.ts';
import type { Spec } from '../spec.ts';
import { compileTextTransform } from '../text-transforms.ts';
import { isWithin } from './distance.ts';
import type { Operators } from './operator.ts';

type Fold = (text: string) => string;

const foldOf = (spec: Spec): Fold =>
  spec.flag('case sensitive', true) ? (text) => text : (text) => text.toLowerCase();

/** Calls `matches` with each value at the path until it returns true. Texts are transformed and folded. */
function anyValue(spec: Spec, fold: Fold, matchesFolded: (value: unknown, run: Run) => boolean): Test {
  const path = spec.path();
  const transform = compileTextTransform(spec);
  const matchesValue = (value: unknown, _: undefined, run: Run): boolean => {
    if (typeof value !== 'string') return matchesFolded(value, run);
    run.spend(value.length / 16);
    if (transform === undefined) return matchesFolded(fold(value), run);
    return transform(value).some((text) => matchesFolded(fold(text), run));
  };
  return (view, run) => someValue(view, path, run, undefined, matchesValue);
}

const SCALARS = new Set(['string', 'number', 'boolean']);

/** A number and its text are different values. */
function is(spec: Spec): Test {
  const fold = foldOf(spec);
  const same = (value: unknown): unknown => (typeof value === 'string' ? fold(value) : value);
  const literal = (value: unknown): unknown => {
    if (value !== null && !SCALARS.has(typeof value))
      throw spec.fault('value', '`value` must be a text, a number or a boolean.');
    return value;
  };
  const operand = compileOperand(spec, literal, (values) => values.map(same));
  const path = spec.path();
  const transform = compileTextTransform(spec);
  const isEqual = (value: unknown, wanted: readonly unknown[], run: Run): boolean => {
    run.spend(wanted.length + (typeof value === 'string' ? value.length / 16 : 0));
    if (typeof value !== 'string' || transform === undefined) return wanted.includes(same(value));
    return transform(value).some((text) => wanted.includes(fold(text)));
  };
  return (view, run) => someValue(view, path, run, operand(view, run), isEqual);
}

/** A bad search reads each character again once for this many characters of the wanted text. */
const SEARCH_AGAIN = 64;

/** `passes`: how often all of them together read a text. */
type Wanted = { readonly texts: readonly string[]; readonly passes: number };

/** An operator whose right side is a text. Numbers and booleans of the rule are converted to text. `searches`: it searches the whole text,
 *  and its time can grow with both lengths. */
function compareTexts(spec: Spec, matchesOne: (text: string, wanted: string) => boolean, searches = false): Test {
  const fold = foldOf(spec);
  const literal = (value: unknown): string => {
    if (!SCALARS.has(typeof value)) throw spec.fault('value', '`value` must be a text.');
    return String(value);
  };
  const operand = compileOperand(spec, literal, (values): Wanted => {
    const texts = values.filter((one) => typeof one === 'string').map(fold);
    return { texts, passes: texts.reduce((sum, one) => sum + 1 + (searches ? one.length / SEARCH_AGAIN : 0), 0) };
  });
  const path = spec.path();
  const transform = compileTextTransform(spec);
  const matchesAny = (text: string, texts: readonly string[]): boolean => {
    for (const one of texts) if (matchesOne(text, one)) return true;
    return false;
  };
  const matchesValue = (value: unknown, { texts, passes }: Wanted, run: Run): boolean => {
    if (typeof value !== 'string') return false;
    run.spend((passes * (value.length + 16)) / 16);
    if (transform === undefined) return matchesAny(fold(value), texts);
    return transform(value).some((text) => matchesAny(fold(text), texts));
  };
  return (view, run) => someValue(view, path, run, operand(view, run), matchesValue);
}

function contains(spec: Spec): Test {
  const count = spec.number('count', 0, 1);
  return compareTexts(
    spec,
    (text, wanted) => (count <= 1 ? text.includes(wanted) || count === 0 : occurs(text, wanted, count)),
    true,
  );
}

function occurs(text: string, wanted: string, count: number): boolean {
  if (wanted === '') return text.length + 1 >= count;
  let from = 0;
  for (let seen = 0; seen < count; seen += 1) {
    const found = text.indexOf(wanted, from);
    if (found === -1) return false;
    from = found + wanted.length;
  }
  return true;
}

const startsWith = (spec: Spec): Test => compareTexts(spec, (text, wanted) => text.startsWith(wanted));
const endsWith = (spec: Spec): Test => compareTexts(spec, (text, wanted) => text.endsWith(wanted));

/** RE2 stops building states after this many steps. Further steps cost less. */
const COSTLY_STEPS = 2_000_000;

const regexWork = (length: number, steps: number): number => {
  const all = length * steps;
  const costly = Math.min(all, COSTLY_STEPS);
  return costly / 2 + (all - costly) / 8;
};

/** Ignores case unless `case sensitive` is true. */
function matches(spec: Spec): Test {
  const pattern = spec.text('re');
  const compiled = compileRegex(
    spec.flag('case sensitive', false) ? pattern : `(?i)${pattern}`,
    RULE_BOUNDS.regexLength,
  );
  if ('failure' in compiled) {
    const { expected, hint } = compiled.failure;
    throw spec.fault('re', `Expected ${expected}${hint === undefined ? '.' : `: ${hint}.`}`);
  }
  const { regex, steps } = compiled;
  spec.totals.regexSteps += steps;
  if (spec.totals.regexSteps > RULE_BOUNDS.regexSteps)
    throw spec.fault('re', `The regular expressions of the rule compile to more than ${RULE_BOUNDS.regexSteps} steps.`);
  return anyValue(
    spec,
    (text) => text,
    (value, run) => {
      if (typeof value !== 'string') return false;
      run.spend(regexWork(value.length, steps));
      return regex.test(value);
    },
  );
}

function stringDistance(spec: Spec): Test {
  const fold = foldOf(spec);
  const value = spec.required('value');
  const wanted = (Array.isArray(value) ? spec.list('value') : [value]).map((one) => {
    if (typeof one !== 'string' || one.length > RULE_BOUNDS.distanceLength)
      throw spec.fault(
        'value',
        `\`value\` must be a text, or a list of texts, of at most ${RULE_BOUNDS.distanceLength} characters.`,
      );
    return [...fold(one)];
  });
  const max = Math.min(Math.floor(spec.number('max', 0)), RULE_BOUNDS.distanceLength);
  return anyValue(spec, fold, (found, run) => {
    if (typeof found !== 'string' || found.length > 2 * RULE_BOUNDS.distanceLength) return false;
    const characters = [...found];
    return wanted.some((one) => {
      if (Math.abs(one.length - characters.length) > max) return false;
      run.spend(characters.length * (one.length + 1));
      return isWithin(characters, one, max);
    });
  });
}

const RESOURCE = /^hive:\/\/lookup\/(.+)$/s;

/** Templates read the metadata of the key as `.mtd`. An unknown lookup is an error and finds nothing. */
function lookup(spec: Spec): Test {
  const name = RESOURCE.exec(spec.text('resource'))?.[1];
  if (name === undefined) throw spec.fault('resource', '`resource` must be hive://lookup/NAME.');
  const exact = spec.flag('case sensitive', true);
  return anyValue(spec, foldOf(spec), (value, run) => {
    const keys = run.context.lookups(name);
    if (keys === undefined) run.addError(`There is no lookup "${name}".`);
    if (keys === undefined || (typeof value !== 'string' && typeof value !== 'number')) return false;
    const key = exact ? String(value) : folded(keys).get(String(value));
    if (key === undefined || !Object.hasOwn(keys, key)) return false;
    run.mtd = keys[key];
    return true;
  });
}

const foldedKeys = new WeakMap<object, Map<string, string>>();

/** The keys of a lookup by their lower case. Built once for each version of the lookup. */
function folded(keys: Readonly<Record<string, unknown>>): Map<string, string> {
  const known = foldedKeys.get(keys);
  if (known !== undefined) return known;
  const made = new Map(Object.keys(keys).map((key) => [key.toLowerCase(), key]));
  foldedKeys.set(keys, made);
  return made;
}

export const TEXT_OPERATORS: Operators = {
  is: { compile: is },
  contains: { compile: contains },
  'starts with': { compile: startsWith },
  'ends with': { compile: endsWith },
  matches: { compile: matches },
  'string distance': { compile: stringDistance },
  lookup: { compile: lookup, neverShared: true },
};
