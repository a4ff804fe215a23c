/**
 * What to tell someone whose selector does not parse: the place that lies furthest in the text, what stood there, what
 * would have fitted, and for the usual slips how to put it right.
 */
import type { Cursor } from './cursor.ts';
import type { SelectorError } from './errors.ts';
import { isSensorField } from './fields.ts';
import { SLIPS } from './slips.ts';

/** A window keeps the work small whatever the text: every slip shows within a line of the place. */
const WINDOW = 200;

interface Place {
  readonly offset: number;
  readonly expected: string;
}

/** The error for the furthest place that reading reached. */
export function syntaxError(cursor: Cursor): SelectorError {
  const { offset, expected } = placeOf(cursor);
  return cursor.error('selector_syntax', offset, expected, hintAt(cursor.text, offset, expected));
}

const LONE_WORD = /(?<![^\s(){])(and|or|not)\s*$/i;

/** No word is reserved: an `and`, `or` or `not` without its clause was tried as a name last, but nobody meant one. */
function placeOf({ text, furthest: offset, expectation: expected }: Cursor): Place {
  const word = expected === 'an operator' ? LONE_WORD.exec(textBefore(text, offset)) : null;
  if (word === null) return { offset, expected };
  if (word[1]?.toLowerCase() === 'not') return { offset, expected: 'a clause' };
  return { offset: offset - word[0].length, expected: 'a field or a value' };
}

const textBefore = (text: string, offset: number): string => text.slice(Math.max(0, offset - WINDOW), offset);

function hintAt(text: string, offset: number, expected: string): string | undefined {
  const after = text.slice(offset, offset + WINDOW);
  const before = textBefore(text, offset);
  const stands = expected === 'an operator' && CLAUSE_END.test(after) && (/\s$/.test(before) || !/^\w/.test(after));
  const bare = stands ? bareHint(before) : undefined;
  if (bare !== undefined) return bare;
  const fits = (pattern: RegExp | undefined, part: string) => pattern?.test(part) ?? true;
  return SLIPS.find((slip) => fits(slip.expected, expected) && fits(slip.after, after) && fits(slip.before, before))
    ?.hint;
}

const CLAUSE_END = /^\s*(?:$|[)}]|(?:and|or)\s)/i;
const OPERAND = String.raw`("[^"]*"|'[^']*'|\x60[^\x60]*\x60|[a-zA-Z0-9][\w/.-]*)`;
const BARE = new RegExp(String.raw`(?<![^\s(){])${OPERAND}\s*$`);
const AFTER_ANOTHER = new RegExp(
  String.raw`([a-zA-Z][\w.]*)\s*(==|!=|\scontains\s|\smatches\s)\s*${OPERAND}\s+or\s+${OPERAND}\s*$`,
  'i',
);
const BOOLEAN_FIELDS: ReadonlySet<string> = new Set(['isolated', 'should_isolate', 'kernel']);

/** For a field or a value that stands alone, where a clause should. */
function bareHint(before: string): string | undefined {
  const word = BARE.exec(before)?.[1];
  if (word === undefined) return undefined;
  if (BOOLEAN_FIELDS.has(word)) return `write ${word} == true`;
  if (word === 'tags') return 'ask for a tag, such as vip in tags';
  if (isSensorField(word)) return `compare it with a value, such as ${word} == '…'`;
  if (word === 'true' || word === 'false')
    return 'a clause asks something of a field, such as isolated == true; * selects every sensor';
  const [, field, operator] = AFTER_ANOTHER.exec(before) ?? [];
  if (field !== undefined) return `name the field again: ${field} ${operator?.trim()} ${word}`;
  return `a value alone asks nothing; a tag is selected by ${/^["'`]/.test(word) ? word : `"${word}"`} in tags`;
}
