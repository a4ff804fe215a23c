/**
 * The usual slips in selectors, and how to put each right. The first row that fits is what the user is told: rows for one
 * word or sign stand before those for any. `after` is the text from the place of the error on, `before` the text up to it.
 */

export interface Slip {
  /** Tried on what would have fitted, as the user is told it. */
  readonly expected?: RegExp;
  readonly after?: RegExp;
  readonly before?: RegExp;
  readonly hint: string;
}

const EQUAL = 'write == for "is equal to"';
const UNEQUAL = 'write != for "is not equal to"';
const REGEX = "write matches for a regular expression, such as hostname matches '^web'";
const NO_ORDER = 'there is no order comparison: only ==, !=, in, contains, matches, is';
const NO_COMMENTS = 'there are no comments: leave it out';
const NO_LISTS =
  "there are no lists of values: join clauses with or, or write a regular expression, such as plat matches '^(linux|macos)$'";
const QUOTES = 'a value with such a character needs quotes';
const NO_WILDCARDS = "there are no wildcards: write matches, such as hostname matches '^web'";

const OPERATOR = /^an operator$|"contains" or "matches"$/;

/** Words and signs that other languages have where an operator stands. */
const OPERATORS: readonly Slip[] = [
  { after: /^=~/, hint: REGEX },
  { after: /^!~/, hint: "write not matches, such as hostname not matches '^web'" },
  { after: /^<>/, hint: UNEQUAL },
  { after: /^(?:starts?|begins?)(?:[_ ]?with)?\b/i, hint: "write matches with ^, such as hostname matches '^web'" },
  { after: /^ends?(?:[_ ]?with)?\b/i, hint: "write matches with $, such as hostname matches '\\.corp$'" },
  {
    after: /^(?:i?like|glob)\b/i,
    hint: "write contains for a part of a text, or matches for a regular expression, such as hostname matches '^web'",
  },
  { after: /^(?:eq|equals?)\b/i, hint: EQUAL },
  { after: /^(?:neq?|isnt|isn't)\b/i, hint: UNEQUAL },
  { after: /^isnot\b/i, hint: 'write !=, is not empty or is not nil' },
  { after: /^(?:[gl]te?|[gl]e|between)\b/i, hint: NO_ORDER },
  { after: /^(?:regexp?|rlike|match)\b/i, hint: REGEX },
  { after: /^(?:has|have|includes?|contain|containing)\b/i, hint: 'write contains, such as tags contains vip' },
  { after: /^:/, hint: 'write == between a field and a value; a tag is selected by "vip" in tags' },
  { after: /^\(/, before: /(?:^|[\s(])(?:not|and|or)$/i, hint: 'put a space before the parenthesis' },
  { after: /^\(/, before: /[a-zA-Z0-9_]$/, hint: "there are no functions: write hostname contains 'web'" },
  { after: /^is(?:\s+not)?\s*$/, hint: 'write is empty or is nil' },
  { before: /^\s*(?:where|if|select|when)\s+$/i, hint: 'leave the first word out' },
].map((slip) => ({ expected: OPERATOR, ...slip }));

/** What stands after `is`. */
const STATES: readonly Slip[] = [
  {
    after: /^(?:""|''|["'`]?(?:null|none|nothing|undefined|unset|missing|absent|blank)\b)/i,
    hint: 'write is empty for a text or a list without content, is nil for a null',
  },
  { before: /\s(?:not|NOT)\s+$/, hint: 'after is there is only empty and nil: write != to compare' },
  { after: /^\S/, hint: 'after is there is only empty and nil: write == to compare' },
].map((slip) => ({ expected: /^"empty" or "nil"$/, ...slip }));

const VALUES: readonly Slip[] = [
  { after: /^\[/, hint: NO_LISTS },
  { after: /^[({]/, hint: `write one value; ${NO_LISTS}` },
  { after: /^\*/, hint: NO_WILDCARDS },
  { after: /^[^\s"'`]/, before: /\bmatches\s+$/, hint: 'a regular expression needs quotes' },
  { after: /^[^\s\w()[\]{}"'`=&|!~<>]/, hint: QUOTES },
].map((slip) => ({ expected: /^a value$/, ...slip }));

export const SLIPS: readonly Slip[] = [
  { after: /^\s*$/, before: /^\s*$/, hint: 'write * for every sensor' },
  { after: /^[“”„‟‘’‚‛«»]/, hint: 'write plain quotes: "…" or \'…\'' },
  ...OPERATORS,
  ...STATES,
  { after: /^=/, before: /[=!]=\s*$/, hint: EQUAL },
  { after: /^=/, hint: EQUAL },
  { after: /^&/, hint: 'write and' },
  { after: /^\|/, hint: 'write or' },
  { after: /^!/, hint: 'write not, with a space after it' },
  { after: /^[<>]/, hint: NO_ORDER },
  { after: /^~/, hint: REGEX },
  { after: /^#/, hint: NO_COMMENTS },
  { after: /^(?:\/\/|--(?:\s|$))/, before: /\s$/, hint: NO_COMMENTS },
  { after: /^\\/, hint: 'a value with a backslash needs single quotes or backticks' },
  ...VALUES,
  { before: /(?:^|\s)(?:not|and)\s+(?:any|all)\s+$/i, hint: 'any … and all … need parentheses here' },
  { after: /^\s*$/, before: /(?:^|[\s)])(?:not|and|or)\s*$/i, hint: 'a clause is missing at the end' },
  {
    after: /^(?:and|or)(?:\s|$)/i,
    before: /(?:^|[\s(])(?:not|and|or)\s+$/i,
    hint: 'a clause is missing before this word',
  },
  { after: /^(?:and|or)(?:\s|$)/i, before: /(?:^|[({])\s*$/, hint: 'a clause is missing before this word' },
  { after: /^\(/, before: /(?:^|[\s)])(?:not|and|or)$/i, hint: 'put a space before the parenthesis' },
  { after: /^(?:and|or)\b/i, before: /\)$/, hint: 'put a space after the parenthesis' },
  { after: /^(?:and|or)\b/i, before: /["'`]$/, hint: 'put a space before the word' },
  { after: /^(?:And|Or)\s/, hint: 'write and, or in lower or in upper case' },
  {
    after: /^(?:IN|CONTAINS|MATCHES|IS|In|Contains|Matches|Is)\s/,
    expected: OPERATOR,
    hint: 'write the operator in lower case',
  },
  { after: /^(?:in|not|contains|matches)\b/, before: /["'`]$/, hint: 'put a space before the operator' },
  { after: /^["'`]/, before: /\sin\s+$/, hint: 'a field is not quoted' },
  { after: /^[([{]/, before: /\sin\s+$/, hint: NO_LISTS },
  { after: /^(?:not|in|contains|matches)["'`]/, hint: 'put a space after the operator' },
  { after: /^(?:not|is)(?:in|contains|matches|empty|nil|tags)\b/, hint: 'put a space between the words' },
  { after: /^["'`]/, before: /\b(?:in|contains|matches)$/, hint: 'put a space after the operator' },
  { after: /^["'`][^"'`]*["'`]\s*(?:[!=]=|is\b|matches\b|(?:not\s+)?contains\b)/, hint: 'a field is not quoted' },
  { expected: /^(?:"as"|"\{"|a name for the item)$/, hint: 'write it as any tags as t { t == vip }' },
  { after: /^\*/, before: /[a-zA-Z0-9_/.]$/, hint: NO_WILDCARDS },
  { after: /^[,;](?:\s|$)/, hint: 'clauses are joined by and, or' },
  { after: /^[^\s()[\]{}'"`]/, before: /[a-zA-Z0-9_/.]$/, hint: QUOTES },
  {
    after: /^[a-zA-Z0-9]/,
    before: /(?:[!=]=\s*|\s(?:contains|matches)\s+)[a-zA-Z][\w/.]*\s+$/,
    hint: 'a value with a space needs quotes; clauses are joined by and, or',
  },
  { after: /^\)/, before: /\(\s*$/, hint: 'a clause is missing in the parentheses' },
  { after: /^\)/, before: /(?:and|or|not)\s+$/i, hint: 'a clause is missing before the parenthesis' },
  { after: /^\)/, expected: /the end$/, hint: 'there is one closing parenthesis too many' },
  { after: /^$/, before: /\(/, expected: /"\)"$/, hint: 'is a parenthesis still open?' },
];
