/**
 * The parts of one clause: a path to a field, an operator, a value. A bare word is a field on the left and a text on the
 * right, and which side is the left depends on the operator (`in` has the field on its right); so the head of a clause is
 * read as both at once.
 */
import type { ComparisonOperator, StateOperator } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { readNumber, readString } from './literals.ts';

/** What may stand on either side: `path` is null for what can only be a value. */
export interface Operand {
  readonly path: readonly string[] | null;
  readonly text: string;
}

export interface ClauseHead extends Operand {
  readonly offset: number;
}

export type WrittenOperator = ComparisonOperator | StateOperator | 'contains' | 'not contains';

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

/** As a path `"/a/b"` names the field b of a; as a value it is its own text, slash and all (go-bexpr drops the slash). */
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
    const hint = 'an item of a list is written tags.0 or tags["0"]; there are no lists of values, use or';
    throw cursor.error('selector_syntax', cursor.offset, 'a quoted name', hint);
  }
  cursor.space();
  if (!cursor.take(']')) throw cursor.error('selector_syntax', start, 'a closing ]');
  return key;
}

/** A value, or a path that can also be one. */
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

/** The operator with the white space around it. All but `==` and `!=` need some on both sides. */
export function readOperator(cursor: Cursor): WrittenOperator | null {
  const start = cursor.offset;
  const spaced = cursor.space();
  const sign = cursor.take('==') ? '==' : cursor.take('!=') ? '!=' : null;
  if (sign !== null) {
    cursor.space();
    return sign;
  }
  const operator = spaced ? readWordOperator(cursor) : null;
  if (operator !== null) return operator;
  cursor.offset = start;
  return spaced ? null : cursor.expect('an operator');
}

function readWordOperator(cursor: Cursor): WrittenOperator | null {
  if (cursor.word('is')) return readState(cursor);
  const negated = cursor.word('not') || cursor.word('NOT');
  if (cursor.word('in')) return negated ? 'not in' : 'in';
  if (cursor.word('contains')) return negated ? 'not contains' : 'contains';
  if (cursor.word('matches')) return negated ? 'not matches' : 'matches';
  return cursor.expect(negated ? '"in", "contains" or "matches"' : 'an operator');
}

function readState(cursor: Cursor): StateOperator | null {
  const negated = cursor.word('not') || cursor.word('NOT');
  if (cursor.take('empty')) return negated ? 'is not empty' : 'is empty';
  if (cursor.take('nil')) return negated ? 'is not nil' : 'is nil';
  return cursor.expect('"empty" or "nil"');
}
