/**
 * Parses templates: the part of Go's text/template that rules use. This is text, `{{ .a.b }}`, literals, function calls, pipelines,
 * parentheses, comments, trim markers and `if … else if … else … end`. The older field syntax `<<a/b>>` is supported, too. Variables,
 * `range`, `with` and `define` are not. The result is data, or a RuleError.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import { RuleError } from '../errors.ts';
import { FUNCTIONS } from './functions.ts';
import { type Piece, splitTemplate } from './split.ts';
import { type Token, tokenize } from './tokens.ts';

export type Expression =
  | { readonly type: 'field'; readonly of: Expression | null; readonly keys: readonly string[] }
  | { readonly type: 'literal'; readonly value: unknown }
  | { readonly type: 'call'; readonly name: string; readonly arguments: readonly Expression[] };

export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'value'; readonly expression: Expression }
  | {
      readonly type: 'if';
      readonly condition: Expression;
      readonly yes: readonly Part[];
      readonly no: readonly Part[];
    };

export type Template = readonly Part[];

const BLOCKS_MAX = 32;

/** `at`: the path of the template in the rule, for errors. */
export function parseTemplate(text: string, at: string): Template {
  if (text.length > RULE_BOUNDS.templateLength)
    throw new RuleError(at, `A template may have at most ${RULE_BOUNDS.templateLength} characters.`);
  const parser = new Parser(splitTemplate(text, at), at);
  return parser.parts(0, false).parts;
}

class Parser {
  readonly #pieces: readonly Piece[];
  readonly #at: string;
  #index = 0;

  constructor(all: readonly Piece[], at: string) {
    this.#pieces = all;
    this.#at = at;
  }

  /** Parses up to the end of the text or, in a block, up to its `end` or `else`, and returns the tokens of that as `closed`. */
  parts(depth: number, inBlock: boolean): { parts: Part[]; closed: readonly Token[] } {
    if (depth > BLOCKS_MAX) throw new RuleError(this.#at, `Blocks are nested more than ${BLOCKS_MAX} levels deep.`);
    const parts: Part[] = [];
    while (this.#index < this.#pieces.length) {
      const piece = this.#pieces[this.#index] as Piece;
      this.#index += 1;
      if ('text' in piece) {
        parts.push({ type: 'text', text: piece.text });
        continue;
      }
      const tokens = tokenize(piece.action, this.#at);
      if (tokens.length === 0 && /^\s*\/\*[\s\S]*\*\/\s*$/.test(piece.action)) continue;
      const word = tokens[0]?.type === 'name' ? tokens[0].text : '';
      if (word === 'if') parts.push(this.#block(tokens.slice(1), depth));
      else if ((word === 'end' || word === 'else') && inBlock) return { parts, closed: tokens };
      else parts.push({ type: 'value', expression: this.#expression(tokens) });
    }
    if (inBlock) throw new RuleError(this.#at, 'An `if` has no `end`.');
    return { parts, closed: [] };
  }

  #block(condition: readonly Token[], depth: number): Part {
    const yes = this.parts(depth + 1, true);
    const [word, second] = yes.closed;
    let no: readonly Part[] = [];
    if (word?.text === 'else' && second?.text === 'if') no = [this.#block(yes.closed.slice(2), depth + 1)];
    else if (word?.text === 'else') {
      const rest = this.parts(depth + 1, true);
      if (rest.closed[0]?.text !== 'end') throw new RuleError(this.#at, 'An `if` has a second `else`.');
      no = rest.parts;
    }
    return { type: 'if', condition: this.#expression(condition), yes: yes.parts, no };
  }

  #expression(tokens: readonly Token[]): Expression {
    const reader = new ExpressionReader(tokens, this.#at);
    const expression = reader.pipeline(0);
    reader.end();
    return expression;
  }
}

class ExpressionReader {
  readonly #tokens: readonly Token[];
  readonly #at: string;
  #index = 0;

  constructor(tokens: readonly Token[], at: string) {
    this.#tokens = tokens;
    this.#at = at;
  }

  end(): void {
    if (this.#index < this.#tokens.length)
      throw this.#fault(`"${this.#tokens[this.#index]?.text}" is not expected here.`);
  }

  /** `a | b x`: the value of `a` becomes the last argument of `b`. */
  pipeline(depth: number): Expression {
    if (depth > BLOCKS_MAX) throw this.#fault('Parentheses are nested too deeply.');
    let value = this.#command(depth, undefined);
    while (this.#tokens[this.#index]?.type === '|') {
      this.#index += 1;
      value = this.#command(depth, value);
    }
    return value;
  }

  #command(depth: number, piped: Expression | undefined): Expression {
    const first = this.#tokens[this.#index];
    if (first === undefined) throw this.#fault('An action of the template is empty.');
    if (first.type !== 'name' || first.text in CONSTANTS) {
      if (piped !== undefined) throw this.#fault('A function must follow |.');
      return this.#operand(depth);
    }
    this.#index += 1;
    const found: Expression[] = [];
    while (this.#startsOperand()) found.push(this.#operand(depth));
    if (piped !== undefined) found.push(piped);
    return this.#call(first.text, found);
  }

  #call(name: string, found: readonly Expression[]): Expression {
    const known = FUNCTIONS.get(name);
    if (known === undefined) {
      const hint = found.length === 0 ? ` A field starts with a dot: {{ .${name} }}.` : '';
      throw this.#fault(`There is no function "${name}".${hint}`);
    }
    if (found.length < known.min || found.length > known.max) throw this.#fault(`${name} takes ${counts(known)}.`);
    return { type: 'call', name, arguments: found };
  }

  #startsOperand(): boolean {
    const token = this.#tokens[this.#index];
    return token !== undefined && token.type !== '|' && token.type !== ')';
  }

  #operand(depth: number): Expression {
    const token = this.#tokens[this.#index] as Token;
    this.#index += 1;
    if (token.type === 'literal') return { type: 'literal', value: token.value };
    if (token.type === 'field') return { type: 'field', of: null, keys: token.keys };
    if (token.type === 'name' && token.text in CONSTANTS) return { type: 'literal', value: CONSTANTS[token.text] };
    if (token.type === 'name') return this.#call(token.text, []);
    if (token.type !== '(') throw this.#fault(`"${token.text}" is not expected here.`);
    const inside = this.pipeline(depth + 1);
    if (this.#tokens[this.#index]?.type !== ')') throw this.#fault('A parenthesis is not closed.');
    this.#index += 1;
    const after = this.#tokens[this.#index];
    if (after?.type !== 'field' || !after.joined) return inside;
    this.#index += 1;
    return { type: 'field', of: inside, keys: after.keys };
  }

  #fault(sentence: string): RuleError {
    return new RuleError(this.#at, `The template does not parse: ${sentence}`);
  }
}

const CONSTANTS: Readonly<Record<string, unknown>> = Object.assign(Object.create(null), {
  true: true,
  false: false,
  nil: null,
});

const counts = ({ min, max }: { min: number; max: number }): string =>
  min === max ? `${min} ${min === 1 ? 'argument' : 'arguments'}` : `at least ${min} arguments`;
