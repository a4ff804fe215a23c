/**
 * A position in the text of a selector. Tokens depend on their context (no word is reserved, `-` may be the sign of a number), so the
 * grammar reads characters through a cursor instead of a list of tokens. A rule that does not match leaves the offset unchanged and
 * records what it expected. The error reports the expectations at the furthest offset.
 */
import { SelectorError, type SelectorErrorCode } from '../errors.ts';

const NAME_CHARACTER = /[a-zA-Z0-9_/]/;
const BREAKS = /[\s()[\]{},]/u;

export class Cursor {
  readonly text: string;
  offset = 0;
  #furthest = 0;
  #expected: string[] = [];
  #counted = { offset: 0, surrogatePairs: 0 };

  constructor(text: string) {
    this.text = text;
  }

  get furthest(): number {
    return this.#furthest;
  }

  /** What was expected at the furthest offset, as one phrase. */
  get expectation(): string {
    const all = [...new Set(this.#expected)];
    const last = all.pop() ?? 'an expression';
    return all.length === 0 ? last : `${all.join(', ')} or ${last}`;
  }

  get atEnd(): boolean {
    return this.offset >= this.text.length;
  }

  /** Records that `expected` would be valid at `at`. Returns null, so that a rule can return it. */
  expect(expected: string, at: number = this.offset): null {
    if (at > this.#furthest) {
      this.#furthest = at;
      this.#expected = [];
    }
    if (at === this.#furthest) this.#expected.push(expected);
    return null;
  }

  startsWith(literal: string, at: number = this.offset): boolean {
    return this.text.startsWith(literal, at);
  }

  take(literal: string): boolean {
    if (!this.startsWith(literal)) return false;
    this.offset += literal.length;
    return true;
  }

  /** Takes white space (space, tab, CR, LF only). Returns whether there was any. */
  space(): boolean {
    const start = this.offset;
    while (isSpace(this.text.charCodeAt(this.offset))) this.offset += 1;
    return this.offset > start;
  }

  /** Takes `word` and the required white space after it. */
  word(word: string): boolean {
    if (!this.startsWith(word) || !isSpace(this.text.charCodeAt(this.offset + word.length))) return false;
    this.offset += word.length;
    this.space();
    return true;
  }

  /** Takes `word` with white space on both sides; `and` also as `AND`. */
  spacedWord(word: string, upper: string = word): boolean {
    const start = this.offset;
    const spaced = this.space();
    if (spaced && (this.word(word) || this.word(upper))) return true;
    this.expect(`"${word}"`);
    const after = this.offset + word.length;
    const isThere = this.startsWith(word) || this.startsWith(upper);
    if (spaced && isThere && !NAME_CHARACTER.test(this.text.charAt(after))) {
      this.expect(after === this.text.length ? 'a clause' : `white space after "${word}"`, after);
    }
    this.offset = start;
    return false;
  }

  /** Takes what the sticky `pattern` matches at the offset. */
  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.offset = pattern.lastIndex;
    return found[0];
  }

  /** Column of an offset in characters, from 1. Offsets mostly rise, so counting continues from the previous one. */
  column(offset: number): number {
    if (offset < this.#counted.offset) this.#counted = { offset: 0, surrogatePairs: 0 };
    let { surrogatePairs } = this.#counted;
    for (let i = this.#counted.offset; i < offset; i += 1) {
      // The second half of a surrogate pair is not a character.
      if ((this.text.charCodeAt(i) & 0xfc00) === 0xdc00) surrogatePairs += 1;
    }
    this.#counted = { offset, surrogatePairs };
    return offset + 1 - surrogatePairs;
  }

  /** The word or sign at an offset, as an error shows it. */
  foundAt(offset: number): string {
    if (offset >= this.text.length) return 'the end';
    let found = '';
    for (const char of this.text.slice(offset, offset + 32)) {
      if (found !== '' && BREAKS.test(char)) break;
      found += char;
      if (BREAKS.test(char)) break;
    }
    return JSON.stringify(found);
  }

  error(code: SelectorErrorCode, offset: number, expected: string, hint?: string): SelectorError {
    return new SelectorError({ code, column: this.column(offset), found: this.foundAt(offset), expected, hint });
  }
}

export function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 9 || code === 13;
}
