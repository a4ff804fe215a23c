/**
 * The prefixes that a regular expression with a leading `^` requires, found without compiling it: `^web-` and `^10\.(3|4)\..*` only
 * compare prefixes, `^(web|db)-1$` compares whole texts. The reader stops at the first token that it does not understand. The prefixes
 * up to there are still required.
 */
import { SELECTOR_BOUNDS } from '../bounds.ts';

export interface AnchoredText {
  /** Every matching text begins with one of these, or equals one if `whole`. None is empty, and none is a prefix of another. */
  readonly texts: readonly string[];
  readonly whole: boolean;
  /** Conversely, every such text matches. */
  readonly exact: boolean;
}

/** Limit on the prefixes that alternatives and classes multiply to. */
const TEXTS_MAX = 64;
const TOKEN = /\\.|\[\^?\]?(?:\[:\^?[a-z]*:\]|\\.|[^\]\\])*\]|./gsu;
const LITERAL = /^(?:[^\\.+*?()|[\]{}^$]|\\[-.+*?()|[\]{}^$/\\])$/su;
const CLASS = /^\[(?:[a-zA-Z0-9_]-[a-zA-Z0-9_]|[a-zA-Z0-9_.])+\]$/;
/** Quoted sections and flags are not read, because they change the meaning of the tokens around them (`a(?i)*` is `a*`). */
const NOT_READ = /\\Q|\(\?(?!:)/;
const QUANTIFIERS = new Set(['*', '+', '?', '{']);

/** Null if no prefix is known. Throws nothing, also if `pattern` is not a regular expression. */
export function anchoredText(pattern: string): AnchoredText | null {
  if (pattern.length > SELECTOR_BOUNDS.regexLength || !pattern.isWellFormed()) return null;
  if (!/^(?:\^|\\A)/.test(pattern) || NOT_READ.test(pattern)) return null;
  const tokens = pattern.match(TOKEN) ?? [];
  const reading = new Reading(tokens.slice(1));
  const { texts, rest } = reading.sequence();
  // Tokens are left after another alternative, or after an unmatched parenthesis.
  if (!reading.atEnd || texts.includes('')) return null;
  const tail = rest.join('');
  const whole = tail === '$' || tail === '\\z';
  const exact = whole || tail === '' || tail === '.*';
  return { texts: whole ? [...new Set(texts)] : shortest(texts), whole, exact };
}

/** The texts that have no other one as a prefix. */
function shortest(texts: readonly string[]): string[] {
  const kept: string[] = [];
  // In sorted order a prefix directly precedes all texts that begin with it.
  for (const text of texts.toSorted()) {
    const last = kept.at(-1);
    if (last === undefined || !text.startsWith(last)) kept.push(text);
  }
  return kept;
}

/** `rest`: the tokens of this alternative that were not understood. If empty, `texts` is the whole condition. */
type Sequence = { readonly texts: readonly string[]; readonly rest: readonly string[] };

class Reading {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get #next(): string {
    return this.#tokens[this.#at] ?? '';
  }

  /** Reads one alternative, up to the `|` or `)` that ends it. */
  sequence(): Sequence {
    let texts: readonly string[] = [''];
    for (;;) {
      const start = this.#at;
      const atom = this.#atom();
      const joined = atom === null ? null : product(texts, atom.texts);
      const quantified = QUANTIFIERS.has(this.#next);
      if (atom === null || joined === null || (quantified && !this.#requiresOne(atom))) {
        this.#at = start;
        return { texts, rest: this.#skip() };
      }
      texts = joined;
      if (quantified || atom.rest.length > 0) return { texts, rest: ['…', ...this.#skip()] };
    }
  }

  /** Whether the quantifier requires the atom at least once: `+`, unless a second sign follows. For several texts it is not worth it. */
  #requiresOne({ texts }: Sequence): boolean {
    return this.#next === '+' && texts.length === 1 && !QUANTIFIERS.has(this.#tokens[this.#at + 1] ?? '');
  }

  /** Null at the end of the alternative, and for a token that is not understood. */
  #atom(): Sequence | null {
    const token = this.#next;
    if (token === '(') return this.#group();
    const texts = LITERAL.test(token) ? [token.startsWith('\\') ? token.slice(1) : token] : classTexts(token);
    if (texts === null) return null;
    this.#at += 1;
    return { texts, rest: [] };
  }

  #group(): Sequence | null {
    const { 1: first, 2: second } = this.#tokens.slice(this.#at, this.#at + 3);
    if (first === '?' && second !== ':') return null;
    this.#at += first === '?' ? 3 : 1;
    const all = [this.sequence()];
    while (this.#next === '|') {
      this.#at += 1;
      all.push(this.sequence());
    }
    if (this.#next !== ')') return null;
    this.#at += 1;
    return { texts: all.flatMap(({ texts }) => texts), rest: all.flatMap(({ rest }) => rest) };
  }

  /** Skips the rest of this alternative, including its groups. */
  #skip(): string[] {
    const start = this.#at;
    for (let depth = 0; !this.atEnd; this.#at += 1) {
      if (depth === 0 && (this.#next === '|' || this.#next === ')')) break;
      if (this.#next === '(') depth += 1;
      else if (this.#next === ')') depth -= 1;
    }
    return this.#tokens.slice(start, this.#at);
  }
}

/** The characters of a plain class such as `[3-5]`. Null for any other token. */
function classTexts(token: string): string[] | null {
  if (!CLASS.test(token)) return null;
  const texts: string[] = [];
  for (const [, from, to, one = ''] of token.slice(1, -1).matchAll(/(.)-(.)|(.)/g)) {
    const low = (from ?? one).charCodeAt(0);
    const high = (to ?? one).charCodeAt(0);
    if (low > high) return null;
    for (let code = low; code <= high; code += 1) texts.push(String.fromCharCode(code));
  }
  return texts;
}

function product(heads: readonly string[], tails: readonly string[]): string[] | null {
  if (heads.length * tails.length > TEXTS_MAX) return null;
  return heads.flatMap((head) => tails.map((tail) => head + tail));
}
