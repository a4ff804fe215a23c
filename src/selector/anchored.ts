/**
 * What a regular expression that begins with `^` asks of the beginning of a text, read off without compiling it:
 * `^web-` and `^10\.(3|4)\..*` are no more than comparisons of prefixes, `^(web|db)-1$` is one of whole texts. Only what is
 * understood for certain is used; anything else ends the reading, and what was read until there is still a condition.
 */
import { SELECTOR_BOUNDS } from './ast.ts';

export interface AnchoredText {
  /** Every text that matches begins with one of these, or is one of these if `whole`. None is empty; none is a prefix of another. */
  readonly texts: readonly string[];
  readonly whole: boolean;
  /** The other way round too: every such text matches. */
  readonly exact: boolean;
}

/** Prefixes that alternatives and classes may multiply to. */
const TEXTS_MAX = 64;
const TOKEN = /\\.|\[\^?\]?(?:\[:\^?[a-z]*:\]|\\.|[^\]\\])*\]|./gsu;
const LITERAL = /^(?:[^\\.+*?()|[\]{}^$]|\\[-.+*?()|[\]{}^$/\\])$/su;
const CLASS = /^\[(?:[a-zA-Z0-9_]-[a-zA-Z0-9_]|[a-zA-Z0-9_.])+\]$/;
/** Quoted stretches and flags: they change how what stands around them is read (`a(?i)*` is `a*`). */
const BEYOND = /\\Q|\(\?(?!:)/;
const QUANTIFIERS = new Set(['*', '+', '?', '{']);

/** Null where nothing is known of how a matching text begins. Throws nothing, also for what is no regular expression. */
export function anchoredText(pattern: string): AnchoredText | null {
  if (pattern.length > SELECTOR_BOUNDS.regexLength || !pattern.isWellFormed()) return null;
  if (!/^(?:\^|\\A)/.test(pattern) || BEYOND.test(pattern)) return null;
  const tokens = pattern.match(TOKEN) ?? [];
  const reading = new Reading(tokens.slice(1));
  const { texts, rest } = reading.sequence();
  // A further alternative, or a parenthesis too many.
  if (!reading.atEnd || texts.includes('')) return null;
  const tail = rest.join('');
  const whole = tail === '$' || tail === '\\z';
  const exact = whole || tail === '' || tail === '.*';
  return { texts: whole ? [...new Set(texts)] : shortest(texts), whole, exact };
}

/** Those that no other one is a prefix of. */
function shortest(texts: readonly string[]): string[] {
  const kept: string[] = [];
  // In this order a prefix comes before what it begins, and everything between them begins with it too.
  for (const text of texts.toSorted()) {
    const last = kept.at(-1);
    if (last === undefined || !text.startsWith(last)) kept.push(text);
  }
  return kept;
}

/** `rest`: the tokens of this alternative that were not understood. Empty: `texts` is all it asks. */
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

  /** One alternative, up to the `|` or `)` that ends it. */
  sequence(): Sequence {
    let texts: readonly string[] = [''];
    for (;;) {
      const start = this.#at;
      const atom = this.#atom();
      const joined = atom === null ? null : product(texts, atom.texts);
      const quantified = QUANTIFIERS.has(this.#next);
      if (atom === null || joined === null || (quantified && !this.#asksForOne(atom))) {
        this.#at = start;
        return { texts, rest: this.#skip() };
      }
      texts = joined;
      if (quantified || atom.rest.length > 0) return { texts, rest: ['…', ...this.#skip()] };
    }
  }

  /** `+` does, unless a second sign makes something else of it. For one of many texts it is not worth having each. */
  #asksForOne({ texts }: Sequence): boolean {
    return this.#next === '+' && texts.length === 1 && !QUANTIFIERS.has(this.#tokens[this.#at + 1] ?? '');
  }

  /** Null: the end of the alternative, or something not understood. */
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

  /** Passes over the rest of this alternative, with the groups in it. */
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

/** The characters of a plain class such as `[3-5]`; null for any other token. */
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
