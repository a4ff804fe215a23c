/**
 * One clause's question, asked of the value that its path leads to. A value's text is read as the type of what it meets,
 * so one clause can compare as text with one sensor and as a number with the next. Whole numbers (the index in
 * `any … as i, v`) are bigint here, since they follow other rules than the numbers of a record.
 */
import { type AnchoredText, anchoredText } from './anchored.ts';
import type { Verdict } from './ast.ts';
import { strayBytes } from './literals.ts';
import { type CompiledRegex, compileRegex } from './regex.ts';
import { work } from './spent.ts';
import { RANGE, readBoolean, readFloat, readInteger } from './values.ts';
import { ITEMS_PER_STEP, type RegexRoom } from './work.ts';

export type ValueTest = (value: unknown) => Verdict;

/** `==`. Lists, maps and null cannot be compared. */
export function equality(text: string): ValueTest {
  const boolean = readBoolean(text);
  const number = readFloat(text);
  const integer = readInteger(text);
  return (value) => {
    switch (typeof value) {
      case 'string':
        return value === text;
      case 'boolean':
        return boolean === null ? 'error' : value === boolean;
      case 'number':
        return number === null || number === RANGE ? 'error' : value === number;
      case 'bigint':
        return integer === null || integer === RANGE ? 'error' : value === integer;
      default:
        return 'error';
    }
  };
}

/** `in`: an item of a list, a key of a map, a part of a text. */
export function membership(text: string): ValueTest {
  const isItem = itemEquality(text);
  const bytes = strayBytes(text);
  return (value) => {
    if (typeof value === 'string') return bytes === null ? value.includes(text) : Buffer.from(value).includes(bytes);
    if (Array.isArray(value)) return anyItem(value, text, isItem);
    if (typeof value === 'object' && value !== null) return Object.hasOwn(value, text);
    return 'error';
  };
}

function anyItem(items: readonly unknown[], text: string, isItem: ValueTest): Verdict {
  work.spent += Math.floor(items.length / ITEMS_PER_STEP);
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i];
    if (item === text) return true;
    if (typeof item === 'string') continue;
    const verdict = isItem(item);
    if (verdict !== false) return verdict;
  }
  return false;
}

/** As equality, but an item of a type that the text cannot be read as is passed over. */
function itemEquality(text: string): ValueTest {
  const boolean = readBoolean(text);
  const number = readFloat(text);
  return (item) => {
    if (typeof item === 'boolean') return item === boolean;
    if (typeof item === 'number') return number === RANGE ? 'error' : item === number;
    return 'error';
  };
}

/**
 * `matches`: the expression may match anywhere in the text. It is compiled when it first meets a text, unless comparing
 * beginnings does the same. Bad expressions are errors once they meet a text, and a text that is too long for the room is one.
 */
export function pattern(text: string, room: RegexRoom): ValueTest {
  const anchored = anchoredText(text);
  if (anchored?.exact === true) return anchoredTest(anchored);
  const account = room.open();
  let compiled: CompiledRegex | undefined;
  return (value) => {
    if (typeof value !== 'string') return 'error';
    compiled ??= compileRegex(text);
    if ('failure' in compiled || !room.take(account, value.length, compiled.steps)) return 'error';
    return compiled.regex.test(value);
  };
}

function anchoredTest({ texts, whole }: AnchoredText): ValueTest {
  const known = new Set(texts);
  if (whole) return (value) => (typeof value === 'string' ? known.has(value) : 'error');
  return (value) => (typeof value === 'string' ? texts.some((start) => value.startsWith(start)) : 'error');
}

/** `is empty`. */
export const emptiness: ValueTest = (value) => {
  if (typeof value === 'string' || Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : 'error';
};

/** `is nil`: true for null; a list or a map is never nil, and anything else cannot be. */
export const nilness: ValueTest = (value) => {
  if (value === null) return true;
  return typeof value === 'object' ? false : 'error';
};
