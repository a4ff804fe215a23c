/**
 * Estimates the cost of compiling a regular expression from its text. A thousand characters can compile to a million instructions
 * (`(?:....){1000}`), or look up the case variants of all characters repeatedly (`(?i)[b-\x{10ffff}]…`). Either would block the process
 * for a second. The estimate is not exact and does not check the syntax: patterns that pass are compiled and measured.
 */

export interface RegexCost {
  /** Approximate number of instructions. */
  readonly steps: number;
  /** Lookups of case variants: characters in the ranges of classes, counted each time they occur. */
  readonly folded: number;
}

const REPEAT = /\{([0-9]{1,4})(?:,([0-9]{0,4}))?\}/y;
const ESCAPE = /\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|[0-9a-fA-F]{2})|.)|\\$/suy;
const CLASS_NAME = /\[:\^?[a-z]*:\]/y;
const CODE = /^\\x\{?([0-9a-fA-F]+)/;
/** The two ends of a capturing group. */
const GROUP_STEPS = 2;
const CASELESS = /\(\?[a-zA-Z-]*i/;

export function estimateRegexCost(pattern: string): RegexCost {
  const scan = new Scan(pattern);
  while (!scan.atEnd) scan.step();
  return { steps: scan.steps, folded: CASELESS.test(pattern) ? scan.width : 0 };
}

class Scan {
  readonly #text: string;
  readonly #outer: number[] = [];
  #offset = 0;
  /** Size of the latest atom or group. A repeat count multiplies it. */
  #last = 0;
  steps = 0;
  width = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#text.length;
  }

  step(): void {
    const char = this.#text.charAt(this.#offset);
    if (char === '(') this.#open();
    else if (char === ')') this.#close();
    else if (char === '[') this.#class();
    else if (char === '{') this.#repeat();
    else this.#atom(this.#character());
  }

  #open(): void {
    this.#outer.push(this.steps);
    this.steps = 0;
    this.#offset += 1;
  }

  #close(): void {
    this.#last = this.steps + GROUP_STEPS;
    this.steps = this.#last + (this.#outer.pop() ?? 0);
    this.#offset += 1;
  }

  #repeat(): void {
    const counts = this.#match(REPEAT);
    if (counts === null) {
      this.#atom(this.#character());
      return;
    }
    const times = Math.max(1, Number(counts[1]), Number(counts[2] ?? 0));
    this.steps += this.#last * (times - 1);
    this.#last *= times;
  }

  #atom(text: string): void {
    const length = text === '\\Q' ? this.#quoted() : 1;
    this.steps += length;
    this.#last = 1;
  }

  #quoted(): number {
    const end = this.#text.indexOf('\\E', this.#offset);
    const start = this.#offset;
    this.#offset = end === -1 ? this.#text.length : end + 2;
    return (end === -1 ? this.#text.length : end) - start;
  }

  /** `[…]`: one step. Its ranges add to the width. */
  #class(): void {
    this.#offset += 1;
    if (this.#text.startsWith('^', this.#offset)) this.#offset += 1;
    let previous = '';
    for (let first = true; !this.atEnd; first = false) {
      if (!first && this.#text.startsWith(']', this.#offset)) break;
      if (this.#match(CLASS_NAME) !== null) continue;
      const char = this.#character();
      const range = char === '-' && previous !== '' && !this.atEnd && !this.#text.startsWith(']', this.#offset);
      if (range) this.width += Math.max(0, codeOf(this.#character()) - codeOf(previous));
      previous = range ? '' : char;
    }
    this.#offset += 1;
    this.steps += 1;
    this.#last = 1;
  }

  /** One character or escape. */
  #character(): string {
    const escaped = this.#match(ESCAPE);
    if (escaped !== null) return escaped[0];
    const char = String.fromCodePoint(this.#text.codePointAt(this.#offset) ?? 0);
    this.#offset += char.length;
    return char;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#offset = pattern.lastIndex;
    return found;
  }
}

function codeOf(char: string): number {
  const hexadecimal = CODE.exec(char)?.[1];
  if (hexadecimal !== undefined) return Math.min(Number.parseInt(hexadecimal, 16), 0x10ffff);
  return char.codePointAt(char.startsWith('\\') ? 1 : 0) ?? 0;
}
