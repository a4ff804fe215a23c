/**
 * Reads the text of a value as a boolean, a number or a whole number by the rules of Go's strconv, as go-bexpr does. `null`: not of that
 * type. RANGE: a number that is too large, which is an error in a list of mixed items, where null is just not equal.
 */

export const RANGE = Symbol('out of range');

const BOOLEANS = new Map<string, boolean>([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
]);

const DECIMAL = /^[+-]?(?:[0-9_]+\.?[0-9_]*|\.[0-9_]+)(?:[eE][+-]?[0-9_]+)?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F_]*)\.?([0-9a-fA-F_]*)[pP]([+-]?[0-9_]+)$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const INT64_MAX = 2n ** 63n - 1n;

export function readBoolean(text: string): boolean | null {
  return BOOLEANS.get(text) ?? null;
}

/** Like ParseFloat: decimal or hexadecimal with exponent, `_` between digits, inf, nan. */
export function readFloat(text: string): number | typeof RANGE | null {
  const infinity = INFINITY.exec(text);
  if (infinity !== null) return infinity[1] === '-' ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!underscoresBetweenDigits(text)) return null;
  const value = readHexadecimal(text) ?? readDecimal(text);
  return value === null || Number.isFinite(value) ? value : RANGE;
}

function readDecimal(text: string): number | null {
  if (!DECIMAL.test(text) || !/[0-9]/.test(text)) return null;
  return Number(text.replaceAll('_', ''));
}

function readHexadecimal(text: string): number | null {
  const parts = HEXADECIMAL.exec(text.replaceAll('_', ''));
  if (parts === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  if (whole + fraction === '') return null;
  const mantissa = BigInt(`0x${whole}${fraction}`);
  const size = mantissa === 0n ? 0 : scale(mantissa, Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -size : size;
}

/** mantissa × 2^exponent. The mantissa keeps its highest 64 bits, so that neither factor overflows on its own. */
function scale(mantissa: bigint, exponent: number): number {
  const surplus = Math.max(0, mantissa.toString(2).length - 64);
  let size = Number(mantissa >> BigInt(surplus));
  let rest = exponent + surplus;
  for (; rest > 0 && Number.isFinite(size); rest -= Math.min(rest, 512)) size *= 2 ** Math.min(rest, 512);
  for (; rest < 0 && size !== 0; rest += Math.min(-rest, 512)) size /= 2 ** Math.min(-rest, 512);
  return size;
}

/** Like ParseInt with base 0 and 64 bits: 10, 0x1f, 0b1, 0o7, 017, signs, `_` between digits. */
export function readInteger(text: string): bigint | typeof RANGE | null {
  const parts = /^([+-]?)(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]*|[1-9][0-9_]*)$/.exec(text);
  if (parts === null || !underscoresBetweenDigits(text)) return null;
  const [, sign, number = ''] = parts;
  const digits = number.replaceAll('_', '').toLowerCase();
  if (digits === '0o' || digits === '0x' || digits === '0b') return null;
  const size = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (size > (sign === '-' ? INT64_MAX + 1n : INT64_MAX)) return RANGE;
  return sign === '-' ? -size : size;
}

/** An underscore must be between digits. A base prefix counts as a digit. */
function underscoresBetweenDigits(text: string): boolean {
  if (!text.includes('_')) return true;
  const unsigned = text.replace(/^[+-]/, '');
  const prefixed = /^0[bBoOxX]/.test(unsigned);
  const body = prefixed ? `0${unsigned.slice(2)}` : unsigned;
  const hexadecimal = /^0[xX]/.test(unsigned);
  const digit = hexadecimal ? /[0-9a-fA-F]/ : /[0-9]/;
  const pieces = body.split('_');
  const last = pieces.length - 1;
  return pieces.every((piece, i) => {
    const opens = i === 0 || digit.test(piece.charAt(0));
    return opens && (i === last || digit.test(piece.charAt(piece.length - 1)));
  });
}
