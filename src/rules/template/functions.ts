/** The functions of templates: those of the platform and the basic ones of Go. Arguments are already evaluated. An error is a RuleFault,
 *  which ends the action. */
import { createHash, randomBytes } from 'node:crypto';
import { RuleFault } from '../errors.ts';
import { isObject } from '../view.ts';
import { asText, refuseLonger } from './text.ts';
import { formatTime, parseTime } from './time-layout.ts';

type TemplateFunction = { readonly min: number; readonly max: number; call(values: readonly unknown[]): unknown };

const MANY = 64;

const of = (min: number, max: number, call: (...values: never[]) => unknown): TemplateFunction => ({
  min,
  max,
  call: (values) => (call as (...all: readonly unknown[]) => unknown)(...values),
});

const pathEnd = (text: string): number => Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\'));

/** Different in each process, so that the result of `anon` cannot be found by trial. */
const anonSalt = randomBytes(32).toString('hex');

const hashed = (...parts: unknown[]): string => createHash('md5').update(parts.map(asText).join('')).digest('hex');

/** As in Go, false, 0, null and empty values are not true. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** The value at a key of an object or an index of a list. Undefined if there is none. */
export function indexed(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isObject(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
}

const order = (left: unknown, right: unknown): number => {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : Number(left > right);
  throw new RuleFault('Only two numbers or two texts can be compared.');
};

/** `join` and `replace` can turn a short input into a long text, so the length is checked in advance. */
function joined(separator: unknown, list: unknown): string {
  const [between, parts] = [asText(separator), (Array.isArray(list) ? list : [list]).map(asText)];
  refuseLonger(parts.reduce((sum, part) => sum + part.length + between.length, -between.length));
  return parts.join(between);
}

function replaced(old: unknown, by: unknown, value: unknown): string {
  const [from, to, text] = [asText(old), asText(by), asText(value)];
  const times = from === '' ? text.length + 1 : text.split(from).length - 1;
  refuseLonger(text.length + times * (to.length - from.length));
  return text.replaceAll(from, () => to);
}

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  ['json', of(1, 1, (value: unknown) => JSON.stringify(value ?? null))],
  ['prettyjson', of(1, 1, (value: unknown) => JSON.stringify(value ?? null, undefined, 2))],
  ['base', of(1, 1, (value: unknown) => asText(value).slice(pathEnd(asText(value)) + 1))],
  ['dir', of(1, 1, (value: unknown) => asText(value).slice(0, Math.max(pathEnd(asText(value)), 0)))],
  ['split', of(2, 2, (separator: unknown, value: unknown) => asText(value).split(asText(separator)))],
  ['join', of(2, 2, joined)],
  ['replace', of(3, 3, replaced)],
  ['token', of(2, 2, (secret: unknown, value: unknown) => hashed(secret, value))],
  ['anon', of(2, 2, (secret: unknown, value: unknown) => hashed(secret, anonSalt, value))],
  [
    'parsetime',
    of(3, 3, (from: unknown, to: unknown, value: unknown) => formatTime(parseTime(value, asText(from)), asText(to))),
  ],
  ['index', of(2, MANY, (value: unknown, ...keys: unknown[]) => keys.reduce(indexed, value))],
  [
    'len',
    of(1, 1, (value: unknown) =>
      Array.isArray(value) || typeof value === 'string' ? value.length : Object.keys(Object(value)).length,
    ),
  ],
  ['eq', of(2, MANY, (left: unknown, ...rest: unknown[]) => rest.includes(left))],
  ['ne', of(2, 2, (left: unknown, right: unknown) => left !== right)],
  ['lt', of(2, 2, (left: unknown, right: unknown) => order(left, right) < 0)],
  ['le', of(2, 2, (left: unknown, right: unknown) => order(left, right) <= 0)],
  ['gt', of(2, 2, (left: unknown, right: unknown) => order(left, right) > 0)],
  ['ge', of(2, 2, (left: unknown, right: unknown) => order(left, right) >= 0)],
  ['and', of(1, MANY, (...values: unknown[]) => values.find((value) => !isTrue(value)) ?? values.at(-1))],
  ['or', of(1, MANY, (...values: unknown[]) => values.find(isTrue) ?? values.at(-1))],
  ['not', of(1, 1, (value: unknown) => !isTrue(value))],
  ['print', of(1, MANY, (...values: unknown[]) => values.map(asText).join(''))],
]);
