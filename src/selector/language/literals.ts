/**
 * Strings and numbers. There are three kinds of quotes:
 * - backtick: the text is taken literally, without carriage returns;
 * - double: Go's escapes, except `\"`: the string ends at the first `"`;
 * - single: only `\'` and `\\` are escapes; other backslashes stay, so that regular expressions need no escaping.
 * A malformed literal is an error at once, because no other reading of the text is valid.
 */
import { textOfBytes } from '../stray-bytes.ts';
import { type Cursor, isSpace } from './cursor.ts';

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?/y;
const SIMPLE_ESCAPES: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 0x5c, '"': 0x22 };
const ESCAPE_DIGITS: Record<string, [digits: number, radix: number]> = { x: [2, 16], u: [4, 16], U: [8, 16] };

/** Reads a quoted text. Returns null if there is no quote here. */
export function readString(cursor: Cursor): string | null {
  const quote = cursor.text[cursor.offset];
  if (quote === '`') return readRaw(cursor);
  if (quote === '"') return readDouble(cursor);
  if (quote === "'") return readSingle(cursor);
  return null;
}

/** Reads a number as its text. White space, `)` or the end must follow. */
export function readNumber(cursor: Cursor): string | null {
  const start = cursor.offset;
  const digits = cursor.match(NUMBER);
  if (digits === null) return null;
  if (cursor.atEnd || cursor.startsWith(')') || isSpace(cursor.text.charCodeAt(cursor.offset))) return digits;
  const hint = cursor.startsWith('}')
    ? 'leave a space between the number and "}"'
    : 'a value that starts like a number but is not one needs quotes';
  throw cursor.error('selector_bad_number', start, 'a number such as 7, -1 or 0.5', hint);
}

function closing(cursor: Cursor, quote: string): number {
  const end = cursor.text.indexOf(quote, cursor.offset + 1);
  if (end === -1) throw unclosed(cursor, cursor.offset);
  return end;
}

function unclosed(cursor: Cursor, start: number) {
  const quote = cursor.text.charAt(start);
  const rest = cursor.text.slice(start + 1);
  const hint =
    quote === "'" && rest.includes("\\'")
      ? "\\' is a quote inside the text: write \\\\ for a backslash at its end, or use backticks"
      : /[“”‘’]/.test(rest)
        ? `only a plain ${quote} closes a ${quote}`
        : `the ${quote} that opens here is never closed`;
  return cursor.error('selector_bad_string', start, `a closing ${quote}`, hint);
}

function readRaw(cursor: Cursor): string {
  const end = closing(cursor, '`');
  const inner = cursor.text.slice(cursor.offset + 1, end);
  cursor.offset = end + 1;
  return inner.replaceAll('\r', '');
}

function readSingle(cursor: Cursor): string {
  const start = cursor.offset;
  let value = '';
  for (let i = start + 1; i < cursor.text.length; i += 1) {
    const char = cursor.text.charAt(i);
    if (char === "'") {
      cursor.offset = i + 1;
      return value;
    }
    const next = cursor.text.charAt(i + 1);
    if (char === '\\' && (next === "'" || next === '\\')) {
      value += next;
      i += 1;
    } else {
      value += char;
    }
  }
  throw unclosed(cursor, start);
}

function readDouble(cursor: Cursor): string {
  const end = closing(cursor, '"');
  const start = cursor.offset + 1;
  const inner = cursor.text.slice(start, end);
  if (inner.includes('\n')) {
    const hint = 'write \\n, or use backticks';
    throw cursor.error('selector_bad_string', start + inner.indexOf('\n'), 'no line break in double quotes', hint);
  }
  cursor.offset = end + 1;
  return inner.includes('\\') ? undoEscapes(cursor, start, end) : inner;
}

/** Decodes Go's escapes. `\x` and octal give bytes, which may form UTF-8 together. */
function undoEscapes(cursor: Cursor, start: number, end: number): string {
  const bytes: number[] = [];
  let offset = start;
  while (offset < end) {
    const slash = cursor.text.indexOf('\\', offset);
    const plainEnd = slash === -1 || slash >= end ? end : slash;
    if (plainEnd > offset) bytes.push(...Buffer.from(cursor.text.slice(offset, plainEnd), 'utf8'));
    offset = plainEnd;
    if (offset < end) offset = readEscape(cursor, offset, end, bytes);
  }
  return textOfBytes(Uint8Array.from(bytes));
}

function readEscape(cursor: Cursor, slash: number, end: number, bytes: number[]): number {
  const letter = cursor.text.charAt(slash + 1);
  const simple = SIMPLE_ESCAPES[letter];
  if (slash + 1 < end && simple !== undefined) {
    bytes.push(simple);
    return slash + 2;
  }
  const octal = letter >= '0' && letter <= '7';
  const [count, radix] = octal ? [3, 8] : (ESCAPE_DIGITS[letter] ?? [0, 0]);
  const first = octal ? slash + 1 : slash + 2;
  const digits = cursor.text.slice(first, Math.min(first + count, end));
  const code = digits.length === count && count > 0 && isDigits(digits, radix) ? Number.parseInt(digits, radix) : -1;
  if (code < 0) throw badEscape(cursor, slash);
  if (octal || letter === 'x') {
    if (code > 255) throw badEscape(cursor, slash);
    bytes.push(code);
  } else {
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw badEscape(cursor, slash);
    bytes.push(...Buffer.from(String.fromCodePoint(code), 'utf8'));
  }
  return first + count;
}

function badEscape(cursor: Cursor, slash: number) {
  const next = cursor.text.charAt(slash + 1);
  const hint =
    next === '"'
      ? 'a double-quoted text ends at its first "; use single quotes or backticks'
      : 'write \\\\ for a backslash, or use single quotes or backticks, which take it literally';
  return cursor.error('selector_bad_string', slash, 'an escape such as \\\\, \\n, \\x2d or \\u00e9', hint);
}

function isDigits(text: string, radix: number): boolean {
  return radix === 8 ? /^[0-7]+$/.test(text) : /^[0-9a-fA-F]+$/.test(text);
}
