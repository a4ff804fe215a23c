/**
 * The parts of one clause: a path to a field, an operator, a value. A bare word is a field on one side and a text on the other, and the
 * operator decides which (`in` has the field on its right). So the head of a clause is read as both at once.
 */
import {
  COMPARISON_OPERATORS,
  COMPARISONS,
  type ComparisonOperator,
  STATE_OPERATORS,
  type StateOperator,
} from '../operators/table.ts';
import type { Cursor } from './cursor.ts';
import { readNumber, readString } from './literals.ts';

/** Either side of an operator. `path` is null for what can only be a value. */
export interface Operand {
  readonly path: readonly string[] | null;
  readonly text: string;
}

export interface ClauseHead extends Operand {
  readonly offset: number;
}

type WrittenComparison = {
  readonly type: 'comparison';
  readonly operator: ComparisonOperator;
  readonly negated: boolean;
  readonly valueFirst: boolean;
};
type WrittenState = { readonly type: 'state'; readonly operator: StateOperator; readonly negated: boolean };
export type WrittenOperator = WrittenComparison | WrittenState;

/** Operators that are written as a sign, with their negated forms. */
export const SIGNS: readonly { readonly sign: string; readonly written: WrittenComparison }[] =
  COMPARISON_OPERATORS.flatMap((operator) => {
    const { negatedSign, valueFirst = false } = COMPARISONS[operator];
    if (negatedSign === undefined) return [];
    const written = { type: 'comparison', operator, valueFirst } as const;
    return [
      { sign: operator, written: { ...written, negated: false } },
      { sign: negatedSign, written: { ...written, negated: true } },
    ];
  });

/** Operators that are written as a word. `not` before the word negates it. */
export const WORDS: readonly { readonly word: string; readonly operator: ComparisonOperator; valueFirst: boolean }[] =
  COMPARISON_OPERATORS.flatMap((operator) => {
    const { negatedSign, valueFirst = false, swappedWord } = COMPARISONS[operator];
    const own = negatedSign === undefined ? [{ word: operator, operator, valueFirst }] : [];
    return swappedWord === undefined ? own : [...own, { word: swappedWord, operator, valueFirst: !valueFirst }];
  });

/** What an error expects, as phrases. The hints recognise them. */
export const AN_OPERATOR = 'an operator';
export const WORD_AFTER_NOT = oneOf(WORDS.map(({ word }) => word));
export const STATE_AFTER_IS = oneOf(STATE_OPERATORS);

function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}

const NAME = /[a-zA-Z][a-zA-Z0-9_/]*/y;
const INDEX = /[0-9]+/y;
const POINTER = /"(?:\/[\p{L}\p{N}\-_.~:|]+)*"/uy;

/** `a`, `a.b`, `a.0`, `a["b"]`, or a JSON pointer in double quotes. */
export function readPath(cursor: Cursor): (Operand & { readonly path: readonly string[] }) | null {
  const first = cursor.match(NAME);
  if (first === null) return readPointer(cursor);
  const path = [first];
  for (let part = readPart(cursor); part !== null; part = readPart(cursor)) path.push(part);
  return { path, text: path.join('.') };
}

/** As a path, `"/a/b"` is the field b of a. As a value it is its own text with the slash (go-bexpr drops the slash). */
function readPointer(cursor: Cursor): (Operand & { readonly path: readonly string[] }) | null {
  const quoted = cursor.match(POINTER);
  if (quoted === null) return null;
  const text = quoted.slice(1, -1);
  const parts = text === '' ? [''] : text.slice(1).split('/');
  return { path: parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')), text };
}

function readPart(cursor: Cursor): string | null {
  if (cursor.startsWith('[')) return readBracket(cursor);
  const start = cursor.offset;
  if (!cursor.take('.')) return null;
  const part = cursor.match(NAME) ?? cursor.match(INDEX);
  if (part === null) cursor.offset = start;
  return part;
}

function readBracket(cursor: Cursor): string {
  const start = cursor.offset;
  cursor.take('[');
  cursor.space();
  const key = readString(cursor);
  if (key === null) {
    const hint = 'write an item of a list as tags.0 or tags["0"]; there are no lists of values, use or';
    throw cursor.error('selector_syntax', cursor.offset, 'a quoted name', hint);
  }
  cursor.space();
  if (!cursor.take(']')) throw cursor.error('selector_syntax', start, 'a closing ]');
  return key;
}

/** A value, or a path that can also be a value. */
export function readOperand(cursor: Cursor): Operand | null {
  const path = readPath(cursor);
  if (path !== null) return path;
  const text = readNumber(cursor) ?? readString(cursor);
  return text === null ? null : { path: null, text };
}

export function readClauseHead(cursor: Cursor): ClauseHead | null {
  const { offset } = cursor;
  const operand = readOperand(cursor);
  if (operand === null) return cursor.expect('a field or a value');
  return { offset, ...operand };
}

/** The operator with the white space around it. Words need white space on both sides, signs do not. */
export function readOperator(cursor: Cursor): WrittenOperator | null {
  const start = cursor.offset;
  const spaced = cursor.space();
  for (const { sign, written } of SIGNS) {
    if (!cursor.take(sign)) continue;
    cursor.space();
    return written;
  }
  const operator = spaced ? readWordOperator(cursor) : null;
  if (operator !== null) return operator;
  cursor.offset = start;
  return spaced ? null : cursor.expect(AN_OPERATOR);
}

function readWordOperator(cursor: Cursor): WrittenOperator | null {
  if (cursor.word('is')) return readState(cursor);
  const negated = cursor.word('not') || cursor.word('NOT');
  for (const { word, operator, valueFirst } of WORDS)
    if (cursor.word(word)) return { type: 'comparison', operator, negated, valueFirst };
  return cursor.expect(negated ? WORD_AFTER_NOT : AN_OPERATOR);
}

function readState(cursor: Cursor): WrittenState | null {
  const negated = cursor.word('not') || cursor.word('NOT');
  const operator = STATE_OPERATORS.find((state) => cursor.take(state));
  return operator === undefined ? cursor.expect(STATE_AFTER_IS) : { type: 'state', operator, negated };
}
