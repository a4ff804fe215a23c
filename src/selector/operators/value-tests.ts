/**
 * The tests of the operators. The text of a clause's value is read as the type of the record's value, so one clause can compare as text
 * on one sensor and as a number on the next. Whole numbers (the index in `any … as i, v`) are bigint here, because other rules apply
 * to them than to the numbers of a record.
 */
import type { Predicate, Verdict } from '../predicate.ts';
import { type AnchoredText, anchoredText } from '../regex/anchored-text.ts';
import { type CompiledRegex, compileRegex } from '../regex/compile-regex.ts';
import { codeToName } from '../sensor/codes.ts';
import { SENSOR_FIELDS, type SensorFieldName } from '../sensor/fields.ts';
import { strayBytes } from '../stray-bytes.ts';
import { work } from '../work-counter.ts';
import type { RegexBudget, ValueTest } from './operator.ts';
import { RANGE, readBoolean, readFloat, readInteger } from './read-value.ts';

/** Items of a list that cost as much as one unit of work. */
const ITEMS_PER_WORK = 16;

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

/** `==` on a field of the sensor. Records hold the names of platforms and architectures; a selector may also write their codes. */
export function fieldEquality(field: SensorFieldName, text: string): Predicate {
  const asWritten = equality(text);
  const name = codeToName(field, text);
  // `is` has already compared the name.
  const other: ValueTest = (value) => (typeof value === 'string' ? value === text : asWritten(value));
  return SENSOR_FIELDS[field].is(name, other);
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
  work.spent += Math.floor(items.length / ITEMS_PER_WORK);
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i];
    if (item === text) return true;
    if (typeof item === 'string') continue;
    const verdict = isItem(item);
    if (verdict !== false) return verdict;
  }
  return false;
}

/** Like equality, but false for an item of a type that the text cannot be read as. */
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
 * `matches`: the expression may match anywhere in the text. It is compiled on the first text, unless comparing prefixes is equivalent.
 * A bad expression is an error on every text, and so is a text that exceeds the budget.
 */
export function regexMatch(pattern: string, budget: RegexBudget): ValueTest {
  const anchored = anchoredText(pattern);
  if (anchored?.exact === true) return anchoredTest(anchored);
  const account = budget.open();
  let compiled: CompiledRegex | undefined;
  return (value) => {
    if (typeof value !== 'string') return 'error';
    compiled ??= compileRegex(pattern);
    if ('failure' in compiled || !budget.charge(account, value.length, compiled.steps)) return 'error';
    return compiled.regex.test(value);
  };
}

function anchoredTest({ texts, whole }: AnchoredText): ValueTest {
  const known = new Set(texts);
  if (whole) return (value) => (typeof value === 'string' ? known.has(value) : 'error');
  return (value) => (typeof value === 'string' ? texts.some((start) => value.startsWith(start)) : 'error');
}

/** `is empty`. */
export const isEmpty: ValueTest = (value) => {
  if (typeof value === 'string' || Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : 'error';
};

/** `is nil`: true for null, false for a list or a map, an error for anything else. */
export const isNil: ValueTest = (value) => {
  if (value === null) return true;
  return typeof value === 'object' ? false : 'error';
};
