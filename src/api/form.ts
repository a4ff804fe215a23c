/**
 * Reads an `application/x-www-form-urlencoded` body. Two kinds of senders exist: programs that percent-encode, and people
 * who type a body into curl. The second kind is told by a literal `{` straight after `data=`, which no encoder leaves:
 *  - then `data` runs to the last `}` of the body; `+` and `&` in it stay, and only `%XX` that is valid UTF-8 is decoded,
 *    so `a && b`, `1+1` and `100%` arrive as typed, `%41` as `A`, `%2541` as `%41`;
 *  - else, and for the fields before and after such a `data`, the standard decoding holds: a `%` that encodes nothing stays.
 *    Encoded bytes that are no UTF-8 are refused, since nobody could say what they were meant to be.
 * Pure.
 */
import { ApiError } from '../errors.ts';

/** A field that is given more than once has all its values, in their order. */
export type Form = { [name: string]: string | string[] };

/** More than any call takes; each costs far more memory than it has bytes. */
const FIELDS_MAX = 20_000;

/** The fields of a body. The object has no prototype, so that no field name means anything special. Throws `bad_request`. */
export function parseForm(body: string): Form {
  const form = Object.create(null) as Form;
  const typed = typedData(body);
  if (typed === null) return addFields(form, body);
  addFields(form, body.slice(0, typed.start));
  addField(form, 'data', decodeTyped(body.slice(typed.dataStart, typed.end)));
  return addFields(form, body.slice(typed.end + 1));
}

/** Where a `data` that was typed and not encoded stands: its field from `start`, its value from `dataStart` to `end`. */
function typedData(body: string): { start: number; dataStart: number; end: number } | null {
  const match = /(?:^|&)data=(?=\{)/.exec(body);
  if (match === null) return null;
  const dataStart = match.index + match[0].length;
  const lastBrace = body.lastIndexOf('}');
  if (lastBrace < dataStart) return { start: match.index, dataStart, end: body.length };
  // What stands between the last brace and the next field belongs to the value: it makes it bad JSON, and is not lost.
  const nextField = body.indexOf('&', lastBrace);
  return { start: match.index, dataStart, end: nextField === -1 ? body.length : nextField };
}

function addFields(form: Form, text: string): Form {
  const parts = text.split('&');
  if (parts.length > FIELDS_MAX) throw new ApiError('bad_request', `A form has at most ${FIELDS_MAX} fields.`);
  for (const part of parts) {
    if (part === '') continue;
    const at = part.indexOf('=');
    addField(form, decodeText(at < 0 ? part : part.slice(0, at)), at < 0 ? '' : decodeText(part.slice(at + 1)));
  }
  return form;
}

/** By the standard, but strict about bytes that are no UTF-8; query strings are held to the same. */
export function decodeText(text: string): string {
  try {
    return text.replaceAll('+', ' ').replace(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
  } catch (cause) {
    throw new ApiError('bad_request', 'What is percent-encoded is not UTF-8: check how it is encoded.', { cause });
  }
}

function addField(form: Form, name: string, value: string): void {
  const before = form[name];
  if (before === undefined) form[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else form[name] = [before, value];
}

const decodeTyped = (text: string): string => text.replace(/(?:%[0-9a-f]{2})+/gi, decodeRun);

/** Decodes the characters of a run of `%XX`; bytes that are no UTF-8 stay as they were written. */
function decodeRun(run: string): string {
  let decoded = '';
  for (let at = 0; at < run.length; ) {
    const character = characterAt(run, at);
    decoded += character?.text ?? run.slice(at, at + 3);
    at += character?.length ?? 3;
  }
  return decoded;
}

function characterAt(run: string, at: number): { text: string; length: number } | null {
  const lead = Number.parseInt(run.slice(at + 1, at + 3), 16);
  const bytes = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  try {
    return { text: decodeURIComponent(run.slice(at, at + bytes * 3)), length: bytes * 3 };
  } catch {
    return null;
  }
}
