/**
 * What to tell someone whose selector does not parse: the place that lies furthest in the text, what stood there, what
 * would have fitted, and for the usual slips how to put it right.
 */
import type { Cursor } from './cursor.ts';
import type { SelectorError } from './errors.ts';

interface Slip {
  /** Tried on the text from the place of the error on. */
  readonly after?: RegExp;
  /** Tried on the text before it. */
  readonly before?: RegExp;
  readonly hint: string;
}

const SLIPS: readonly Slip[] = [
  { after: /^\s*$/, before: /^\s*$/, hint: 'write * for every sensor' },
  { after: /^=/, before: /[=!]=\s*$/, hint: 'write == for "is equal to"' },
  { after: /^=~/, hint: 'write matches for a regular expression' },
  { after: /^=/, hint: 'write == for "is equal to"' },
  { after: /^&/, hint: 'write and' },
  { after: /^\|/, hint: 'write or' },
  { after: /^!/, hint: 'write not, with a space after it' },
  { after: /^[<>]/, hint: 'there is no order comparison: only ==, !=, in, contains, matches, is' },
  { after: /^~/, hint: 'write matches for a regular expression' },
  { before: /(?:^|\s)(?:not|and)\s+(?:any|all)\s+$/i, hint: 'any … and all … need parentheses here' },
  { after: /^$/, before: /(?:^|\s)(?:not|and|or)\s*$/i, hint: 'a clause is missing at the end' },
  { after: /^\(/, before: /(?:^|[\s)])(?:not|and|or)$/i, hint: 'put a space before the parenthesis' },
  { after: /^(?:and|or)\b/i, before: /\)$/, hint: 'put a space after the parenthesis' },
  { after: /^(?:And|Or)\s/, hint: 'write and, or in lower or in upper case' },
  { after: /^(?:IN|CONTAINS|MATCHES|IS|In|Contains|Matches|Is)\s/, hint: 'write the operator in lower case' },
  { after: /^(?:in|not|contains|matches)\b/, before: /["'`]$/, hint: 'put a space before the operator' },
  { after: /^\[/, hint: 'there are no lists of values: join clauses with or' },
  { after: /^["'`]/, before: /\sin\s+$/, hint: 'a field is not quoted' },
  { after: /^(?:not|in|contains|matches)["'`]/, hint: 'put a space after the operator' },
  { after: /^(?:not|is)(?:in|contains|matches|empty|nil|tags)\b/, hint: 'put a space between the words' },
  { after: /^["'`]/, before: /\b(?:in|contains|matches)$/, hint: 'put a space after the operator' },
  { after: /^["'`][^"'`]*["'`]\s*(?:[!=]=|is\b|matches\b|(?:not\s+)?contains\b)/, hint: 'a field is not quoted' },
  { after: /^[^\s()[\]{}'"`]/, before: /[a-zA-Z0-9_/.]$/, hint: 'a value with such a character needs quotes' },
  { after: /^[a-zA-Z0-9]/, before: /(?:[!=]=\s*|\s(?:contains|matches)\s+)[a-zA-Z][\w/.]*\s+$/, hint: spaced() },
  { after: /^\)/, hint: 'there is one closing parenthesis too many' },
  { after: /^$/, before: /\(/, hint: 'is a parenthesis still open?' },
];

function spaced(): string {
  return 'a value with a space needs quotes; clauses are joined by and, or';
}

/** The error for the furthest place that reading reached. */
export function syntaxError(cursor: Cursor): SelectorError {
  const offset = cursor.furthest;
  return cursor.error('selector_syntax', offset, cursor.expectation, hintAt(cursor.text, offset));
}

function hintAt(text: string, offset: number): string | undefined {
  // A window keeps the work small whatever the text: every slip shows within a line of the place.
  const after = text.slice(offset, offset + 200);
  const before = text.slice(Math.max(0, offset - 200), offset);
  const slip = SLIPS.find((one) => (one.after?.test(after) ?? true) && (one.before?.test(before) ?? true));
  return slip?.hint;
}
