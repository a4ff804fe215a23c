/** Parsing and checking a selector either succeed or throw a SelectorError, for any text, in bounded time and stack. */

/** Every code of a SelectorError, with the sentence that documents it. Codes never change once published. */
export const SELECTOR_ERROR_CODES = {
  selector_syntax: 'The text does not follow the grammar.',
  selector_bad_string: 'A quoted text is not closed, or has an escape that does not exist.',
  selector_bad_number: 'A number does not follow the syntax of numbers.',
  selector_unknown_field: 'No sensor has a field of that name.',
  selector_bad_regex: 'The regular expression is not valid RE2 syntax.',
  selector_regex_too_long: 'The regular expression has too many characters.',
  selector_regex_too_large: 'The regular expressions compile to too many steps.',
  selector_too_long: 'The selector has too many bytes.',
  selector_too_deep: 'Parentheses or any/all are nested too deeply.',
  selector_too_many_terms: 'The selector has too many clauses.',
} as const;

export type SelectorErrorCode = keyof typeof SELECTOR_ERROR_CODES;

export interface SelectorErrorFacts {
  readonly code: SelectorErrorCode;
  /** In characters (code points), from 1. */
  readonly column: number;
  readonly found: string;
  readonly expected: string;
  readonly hint?: string | undefined;
}

/** A selector is refused. `column` counts characters from 1. `hint` is present for common mistakes. */
export class SelectorError extends Error {
  readonly code: SelectorErrorCode;
  readonly column: number;
  readonly found: string;
  readonly expected: string;
  readonly hint?: string;

  constructor(facts: SelectorErrorFacts) {
    const advice = facts.hint === undefined ? '' : `; ${facts.hint}`;
    super(`column ${facts.column}: found ${facts.found}, expected ${facts.expected}${advice}`);
    this.name = 'SelectorError';
    this.code = facts.code;
    this.column = facts.column;
    this.found = facts.found;
    this.expected = facts.expected;
    if (facts.hint !== undefined) this.hint = facts.hint;
  }
}
