/**
 * Parses an `application/x-www-form-urlencoded` body. Programs percent-encode it; people type it into curl without encoding. A literal
 * `{` directly after `data=` shows that a body is typed, since every encoder encodes it:
 *  - then `data` ends with the last `}` of the body; `+` and `&` in it stay, and only `%XX` that is valid UTF-8 is decoded. So `a && b`,
 *    `1+1` and `100%` arrive as typed, `%41` as `A`, `%2541` as `%41`;
 *  - otherwise, and for the fields before and after such a `data`, the standard decoding applies: a `%` that encodes nothing stays.
 *    Encoded bytes that are not UTF-8 are refused, since their meaning is unknown.
 * Pure.
 */
import { ApiError } from '../../errors.ts';

/** A field that is given more than once has all its values, in their order. */
export type Form = { [name: string]: string | string[] };

/** More than any call needs. A field takes much more memory than it has bytes. */
export const FIELDS_MAX = 20_000;

/** The fields of a body. The object has no prototype, so that no field name has a special meaning. Throws `bad_request`. */
export function parseForm(body: string): Form {
  const form = Object.create(null) as Form;
  const typed = typedData(body);
  if (typed === null) return addFields(form, body);
  addFields(form, body.slice(0, typed.start));
  addField(form, 'data', decodeTyped(body.slice(typed.dataStart, typed.end)));
  return addFields(form, body.slice(typed.end + 1));
}

/** A `data` field that was typed and not encoded: it starts at `start`, its value is from `dataStart` to `end`. */
function typedData(body: string): { start: number; dataStart: number; end: number } | null {
  const match = /(?:^|&)data=(?=\{)/.exec(body);
  if (match === null) return null;
  const dataStart = match.index + match[0].length;
  const lastBrace = body.lastIndexOf('}');
  if (lastBrace < dataStart) return { start: match.index, dataStart, end: body.length };
  // Text between the last brace and the next field belongs to the value: it makes the JSON invalid, so that it is not lost silently.
  const nextField = body.indexOf('&', lastBrace);
  return { start: match.index, dataStart, end: nextField === -1 ? body.length : nextField };
}

function addFields(form: Form, text: string): Form {
  // Split only far enough to detect too many fields: millions of parts would take seconds.
  const parts = text.split('&', FIELDS_MAX + 1);
  if (parts.length > FIELDS_MAX) throw new ApiError('bad_request', `A form has at most ${FIELDS_MAX} fields.`);
  for (const part of parts) {
    if (part === '') continue;
    const at = part.indexOf('=');
    addField(form, decodeText(at < 0 ? part : part.slice(0, at)), at < 0 ? '' : decodeText(part.slice(at + 1)));
  }
  return form;
}

/** A percent sign that encodes nothing. */
const STRAY = /%(?![0-9a-f]{2})/gi;

/** Decodes as the standard says, but refuses bytes that are not UTF-8. Query strings are checked with it too. */
export function decodeText(text: string): string {
  try {
    // One call for the whole text: a call for each run of %XX costs seconds for a body with a million of them.
    return decodeURIComponent(text.replaceAll('+', ' ').replace(STRAY, '%25'));
  } catch (cause) {
    throw new ApiError('bad_request', 'The percent-encoded bytes are not UTF-8: check the encoding.', { cause });
  }
}

function addField(form: Form, name: string, value: string): void {
  const before = form[name];
  if (before === undefined) form[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else form[name] = [before, value];
}

/** The characters of UTF-8 as %XX (RFC 3629, section 4). A `%` that it does not match encodes nothing. */
const ENCODED = (() => {
  const tail = '%[89ab][0-9a-f]';
  const characters = [
    '%[0-7][0-9a-f]',
    `%(?:c[2-9a-f]|d[0-9a-f])${tail}`,
    `%(?:e0%[ab][0-9a-f]|e[1-9a-cef]${tail}|ed%[89][0-9a-f])${tail}`,
    `%(?:f0%[9ab][0-9a-f]|f[1-3]${tail}|f4%8[0-9a-f])${tail}${tail}`,
  ];
  // The length of a run is limited: a longer match would overflow the stack of the regular expression engine.
  return new RegExp(`(?:${characters.join('|')}){1,1024}`, 'gi');
})();

/** Bytes that are not UTF-8 stay encoded. This uses no exceptions: a body may have a million of them. */
const decodeTyped = (text: string): string => text.replace(ENCODED, decodeURIComponent);
