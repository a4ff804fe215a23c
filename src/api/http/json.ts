/**
 * Parses JSON from outside. Accepted values are safe to keep, walk and serialize: valid Unicode text, finite numbers, limited depth, a
 * limited number of values, and no key with a meaning in JavaScript. Depth and number of values are counted before the text is parsed:
 * 4 MiB of empty arrays would take a second and 200 MB.
 */
import { ApiError, type ErrorCode } from '../../errors.ts';

const DEPTH_MAX = 64;
/** Maximum number of signs that begin a value (see below). The longest record of a hive has 200,000, with short lines
 *  (`"10.0.0.1":{},`). Parsing and checking this many takes 0.1 s. */
const VALUES_MAX = 250_000;

/** The value of a JSON text. `name` is what the error sentence calls it. Throws ApiError: with `code` if it is not JSON,
 *  `body_too_large` if it has too many values, `data_invalid` if it contains a forbidden value. */
export function parseJson(text: string, name: string, code: ErrorCode): unknown {
  refuseUnbounded(text, name);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ApiError(code, `${name} is not valid JSON.`, { cause });
  }
  const fault = faultOf(value);
  if (fault !== null) throw new ApiError('data_invalid', `${name} ${fault}`);
  return value;
}

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Scans the text without parsing it, and stops at the limit. Each comma, colon and opening bracket counts as a value. */
function refuseUnbounded(text: string, name: string): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (sign === QUOTE) {
      at = endOfText(text, at);
      if (at === -1) return;
    } else if (sign === COMMA || sign === COLON) values += 1;
    else if (sign === OPEN_LIST || sign === OPEN_OBJECT) {
      values += 1;
      depth += 1;
    } else if (sign === CLOSE_LIST || sign === CLOSE_OBJECT) depth -= 1;
    if (depth > DEPTH_MAX) throw new ApiError('data_invalid', `${name} is nested more than ${DEPTH_MAX} levels deep.`);
    if (values > VALUES_MAX)
      throw new ApiError('body_too_large', `${name} has more than ${VALUES_MAX} values: send less at once.`);
  }
}

/** The index of the closing quote of the string that starts at `from`; -1: there is none. */
function endOfText(text: string, from: number): number {
  let end = from;
  let isEscaped = true;
  while (isEscaped && end !== -1) {
    end = text.indexOf('"', end + 1);
    isEscaped = false;
    for (let before = end - 1; text.charCodeAt(before) === BACKSLASH; before -= 1) isEscaped = !isEscaped;
  }
  return end;
}

/** Why a value is refused; null: it is accepted. Its depth is checked already. */
function faultOf(value: unknown): string | null {
  if (typeof value === 'string') return textFault(value);
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'has a number that is too large.';
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return firstFault(value, faultOf);
  const fields = value as Record<string, unknown>;
  return firstFault(Object.keys(fields), (key) =>
    key === '__proto__' ? 'has the key __proto__.' : (textFault(key) ?? faultOf(fields[key])),
  );
}

function firstFault<T>(items: readonly T[], faultIn: (item: T) => string | null): string | null {
  for (const item of items) {
    const fault = faultIn(item);
    if (fault !== null) return fault;
  }
  return null;
}

function textFault(text: string): string | null {
  if (text.includes('\0')) return 'must not contain the character NUL.';
  return text.isWellFormed() ? null : 'must be valid Unicode text: it has half of a surrogate pair.';
}
