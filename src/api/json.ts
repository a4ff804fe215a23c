/**
 * JSON from outside. What is taken can be held, walked and written again without harm: text that is UTF-8, numbers that are
 * finite, bounded depth, no key that means something to JavaScript.
 */
import { ApiError, type ErrorCode } from '../errors.ts';

const DEPTH_MAX = 64;

/** The value of a JSON text. `name` is what the error sentence calls it. Throws ApiError: with `code` where it is no JSON,
 *  `data_invalid` where it holds what is not taken. */
export function parseJson(text: string, name: string, code: ErrorCode): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ApiError(code, `${name} is not valid JSON.`, { cause });
  }
  const fault = faultOf(value, 0);
  if (fault !== null) throw new ApiError('data_invalid', `${name} ${fault}`);
  return value;
}

/** Why a value is refused; null: it is not. Goes no deeper than the bound, however deep the value is. */
function faultOf(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return textFault(value);
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'has a number that is too large.';
  if (typeof value !== 'object' || value === null) return null;
  if (depth === DEPTH_MAX) return `is nested more than ${DEPTH_MAX} deep.`;
  for (const [key, inner] of Object.entries(value)) {
    const fault = key === '__proto__' ? 'has the key __proto__.' : (textFault(key) ?? faultOf(inner, depth + 1));
    if (fault !== null) return fault;
  }
  return null;
}

function textFault(text: string): string | null {
  if (text.includes('\0')) return 'must not contain the character NUL.';
  return text.isWellFormed() ? null : 'must be text that can be written as UTF-8 (half a character is in it).';
}
