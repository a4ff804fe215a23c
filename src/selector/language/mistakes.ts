/**
 * Common mistakes in selectors, each with a hint. The first row that matches gives the hint, so rows for one word or sign come before
 * general ones.
 */

import { STATE_OPERATORS } from '../operators/table.ts';
import { AN_OPERATOR, STATE_AFTER_IS, WORD_AFTER_NOT, WORDS } from './clause.ts';

export interface Mistake {
  /** Matches what the error expects, as the message says it. */
  readonly expected?: RegExp;
  /** Matches the text from the error on. */
  readonly after?: RegExp;
  /** Matches the text before the error. */
  readonly before?: RegExp;
  readonly hint: string;
}

const EQUAL = 'write == for "is equal to"';
const UNEQUAL = 'write != for "is not equal to"';
const REGEX = "write matches for a regular expression, such as hostname matches '^web'";
const NO_COMMENTS = 'there are no comments: remove it';
const NO_LISTS =
  "there are no lists of values: join clauses with or, or write a regular expression, such as plat matches '^(linux|macos)$'";
const QUOTES = 'a value with this character needs quotes';
const NO_WILDCARDS = "there are no wildcards: write matches, such as hostname matches '^web'";

const OPERATOR = new RegExp(`^${AN_OPERATOR}$|${WORD_AFTER_NOT}$`);
const OPERATOR_WORDS = WORDS.map(({ word }) => word);
const FIELD_FIRST_WORDS = WORDS.filter(({ valueFirst }) => !valueFirst).map(({ word }) => word);
const ANY_WORD = OPERATOR_WORDS.join('|');
const NO_ORDER = `there is no order comparison: only ==, !=, ${OPERATOR_WORDS.join(', ')}, is`;
const IN_WRONG_CASE = [...OPERATOR_WORDS, 'is'].flatMap((word) => [
  word.toUpperCase(),
  word.charAt(0).toUpperCase() + word.slice(1),
]);

/** Operators of other languages. */
const OPERATORS: readonly Mistake[] = [
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
  { after: /^:/, hint: 'write == between a field and a value; select a tag with "vip" in tags' },
  { after: /^\(/, before: /(?:^|[\s(])(?:not|and|or)$/i, hint: 'put a space before the parenthesis' },
  { after: /^\(/, before: /[a-zA-Z0-9_]$/, hint: "there are no functions: write hostname contains 'web'" },
  { after: /^is(?:\s+not)?\s*$/, hint: `write ${STATE_OPERATORS.map((state) => `is ${state}`).join(' or ')}` },
  { before: /^\s*(?:where|if|select|when)\s+$/i, hint: 'remove the first word' },
].map((mistake) => ({ expected: OPERATOR, ...mistake }));

const ONLY_STATES = `only ${STATE_OPERATORS.join(' and ')} can follow is`;

/** After `is`. */
const STATES: readonly Mistake[] = [
  {
    after: /^(?:""|''|["'`]?(?:null|none|nothing|undefined|unset|missing|absent|blank)\b)/i,
    hint: 'write is empty for an empty text or list, is nil for null',
  },
  { before: /\s(?:not|NOT)\s+$/, hint: `${ONLY_STATES}: write != to compare` },
  { after: /^\S/, hint: `${ONLY_STATES}: write == to compare` },
].map((mistake) => ({ expected: new RegExp(`^${STATE_AFTER_IS}$`), ...mistake }));

const VALUES: readonly Mistake[] = [
  { after: /^\[/, hint: NO_LISTS },
  { after: /^[({]/, hint: `write one value; ${NO_LISTS}` },
  { after: /^\*/, hint: NO_WILDCARDS },
  { after: /^[^\s"'`]/, before: /\bmatches\s+$/, hint: 'a regular expression needs quotes' },
  { after: /^[^\s\w()[\]{}"'`=&|!~<>]/, hint: QUOTES },
].map((mistake) => ({ expected: /^a value$/, ...mistake }));

export const MISTAKES: readonly Mistake[] = [
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
  { after: /^(?:And|Or)\s/, hint: 'write and, or in lower case or upper case' },
  {
    after: new RegExp(`^(?:${IN_WRONG_CASE.join('|')})\\s`),
    expected: OPERATOR,
    hint: 'write the operator in lower case',
  },
  { after: new RegExp(`^(?:not|${ANY_WORD})\\b`), before: /["'`]$/, hint: 'put a space before the operator' },
  { after: /^["'`]/, before: /\sin\s+$/, hint: 'write a field without quotes' },
  { after: /^[([{]/, before: /\sin\s+$/, hint: NO_LISTS },
  { after: new RegExp(`^(?:not|${ANY_WORD})["'\`]`), hint: 'put a space after the operator' },
  {
    after: new RegExp(`^(?:not|is)(?:${[...OPERATOR_WORDS, ...STATE_OPERATORS, 'tags'].join('|')})\\b`),
    hint: 'put a space between the words',
  },
  { after: /^["'`]/, before: new RegExp(`\\b(?:${ANY_WORD})$`), hint: 'put a space after the operator' },
  {
    after: /^["'`][^"'`]*["'`]\s*(?:[!=]=|is\b|matches\b|(?:not\s+)?contains\b)/,
    hint: 'write a field without quotes',
  },
  { expected: /^(?:"as"|"\{"|a name for the item)$/, hint: 'the form is any tags as t { t == vip }' },
  { after: /^\*/, before: /[a-zA-Z0-9_/.]$/, hint: NO_WILDCARDS },
  { after: /^[,;](?:\s|$)/, hint: 'join clauses with and, or' },
  { after: /^[^\s()[\]{}'"`]/, before: /[a-zA-Z0-9_/.]$/, hint: QUOTES },
  {
    after: /^[a-zA-Z0-9]/,
    before: new RegExp(String.raw`(?:[!=]=\s*|\s(?:${FIELD_FIRST_WORDS.join('|')})\s+)[a-zA-Z][\w/.]*\s+$`),
    hint: 'a value with a space needs quotes; join clauses with and, or',
  },
  { after: /^\)/, before: /\(\s*$/, hint: 'a clause is missing in the parentheses' },
  { after: /^\)/, before: /(?:and|or|not)\s+$/i, hint: 'a clause is missing before the parenthesis' },
  { after: /^\)/, expected: /the end$/, hint: 'there is one closing parenthesis too many' },
  { after: /^$/, before: /\(/, expected: /"\)"$/, hint: 'is a parenthesis still open?' },
];
