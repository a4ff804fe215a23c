/**
 * The error for a selector that does not parse: the furthest offset that was reached, what stands there, what would be valid, and a hint
 * for common mistakes.
 */
import type { SelectorError } from '../errors.ts';
import { isSensorField } from '../sensor/fields.ts';
import { AN_OPERATOR, SIGNS, WORDS } from './clause.ts';
import type { Cursor } from './cursor.ts';
import { MISTAKES } from './mistakes.ts';

/** Characters before and after the error that hints look at. Bounds the work for any text. */
const WINDOW = 200;

/** The error at the furthest offset that the parser reached. */
export function syntaxError(cursor: Cursor): SelectorError {
  const { offset, expected } = errorPosition(cursor);
  return cursor.error('selector_syntax', offset, expected, hintAt(cursor.text, offset, expected));
}

const LONE_WORD = /(?<![^\s(){])(and|or|not)\s*$/i;

/** An `and`, `or` or `not` without its clause is finally tried as a name. That is never meant, so the error is about the clause. */
function errorPosition({ text, furthest: offset, expectation: expected }: Cursor): {
  readonly offset: number;
  readonly expected: string;
} {
  const word = expected === AN_OPERATOR ? LONE_WORD.exec(textBefore(text, offset)) : null;
  if (word === null) return { offset, expected };
  if (word[1]?.toLowerCase() === 'not') return { offset, expected: 'a clause' };
  return { offset: offset - word[0].length, expected: 'a field or a value' };
}

const textBefore = (text: string, offset: number): string => text.slice(Math.max(0, offset - WINDOW), offset);

function hintAt(text: string, offset: number, expected: string): string | undefined {
  const after = text.slice(offset, offset + WINDOW);
  const before = textBefore(text, offset);
  const endsClause = expected === AN_OPERATOR && CLAUSE_END.test(after) && (/\s$/.test(before) || !/^\w/.test(after));
  const bare = endsClause ? bareHint(before) : undefined;
  if (bare !== undefined) return bare;
  const matches = (pattern: RegExp | undefined, part: string) => pattern?.test(part) ?? true;
  return MISTAKES.find(
    (one) => matches(one.expected, expected) && matches(one.after, after) && matches(one.before, before),
  )?.hint;
}

const CLAUSE_END = /^\s*(?:$|[)}]|(?:and|or)\s)/i;
const OPERAND = String.raw`("[^"]*"|'[^']*'|\x60[^\x60]*\x60|[a-zA-Z0-9][\w/.-]*)`;
const BARE = new RegExp(String.raw`(?<![^\s(){])${OPERAND}\s*$`);
const FIELD_FIRST = [
  ...SIGNS.filter(({ written }) => !written.valueFirst).map(({ sign }) => sign),
  ...WORDS.filter(({ valueFirst }) => !valueFirst).map(({ word }) => String.raw`\s${word}\s`),
];
const AFTER_ANOTHER = new RegExp(
  String.raw`([a-zA-Z][\w.]*)\s*(${FIELD_FIRST.join('|')})\s*${OPERAND}\s+or\s+${OPERAND}\s*$`,
  'i',
);
const BOOLEAN_FIELDS: ReadonlySet<string> = new Set(['isolated', 'should_isolate', 'kernel']);

/** For a field or a value alone where a clause is required. */
function bareHint(before: string): string | undefined {
  const word = BARE.exec(before)?.[1];
  if (word === undefined) return undefined;
  if (BOOLEAN_FIELDS.has(word)) return `write ${word} == true`;
  if (word === 'tags') return 'select a tag, such as vip in tags';
  if (isSensorField(word)) return `compare it with a value, such as ${word} == '…'`;
  if (word === 'true' || word === 'false')
    return 'a clause compares a field, such as isolated == true; * selects every sensor';
  const [, field, operator] = AFTER_ANOTHER.exec(before) ?? [];
  if (field !== undefined) return `repeat the field: ${field} ${operator?.trim()} ${word}`;
  return `a value alone is not a clause; select a tag with ${/^["'`]/.test(word) ? word : `"${word}"`} in tags`;
}
