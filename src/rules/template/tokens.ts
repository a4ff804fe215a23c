/** Splits the content of one `{{ … }}` into tokens. */
import { RuleError } from '../errors.ts';

export type Token =
  | { readonly type: 'name' | '|' | '(' | ')'; readonly text: string }
  | { readonly type: 'literal'; readonly text: string; readonly value: unknown }
  /** `.a.b`; `joined`: it directly follows the previous token. */
  | { readonly type: 'field'; readonly text: string; readonly keys: readonly string[]; readonly joined: boolean };

const TOKEN =
  /(\s+)|(\/\*[\s\S]*?\*\/)|("(?:[^"\\\n]|\\.)*")|`([^`]*)`|(\$?(?:\.[A-Za-z_][A-Za-z0-9_]*)+|\$?\.(?![A-Za-z0-9_])|\$(?![A-Za-z0-9_]))|(-?\d+(?:\.\d+)?)(?![A-Za-z0-9_.])|([A-Za-z_][A-Za-z0-9_]*)(?![A-Za-z0-9_.]|\/[A-Za-z_])|([|()])/y;

export function tokenize(action: string, at: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let joined = false;
  for (let offset = 0; offset < action.length; offset = TOKEN.lastIndex) {
    const match = TOKEN.exec(action);
    if (match === null) throw unexpected(action.slice(offset), at);
    const [text, space, comment, quoted, raw, field, number, name, sign] = match;
    if (quoted !== undefined) tokens.push({ type: 'literal', text, value: unquoted(quoted, at) });
    else if (raw !== undefined) tokens.push({ type: 'literal', text, value: raw });
    else if (number !== undefined) tokens.push({ type: 'literal', text, value: Number(number) });
    else if (field !== undefined) tokens.push({ type: 'field', text, keys: keysOf(field), joined });
    else if (name !== undefined) tokens.push({ type: 'name', text });
    else if (sign !== undefined) tokens.push({ type: sign as '|' | '(' | ')', text });
    joined = space === undefined && comment === undefined;
  }
  return tokens;
}

const keysOf = (field: string): string[] =>
  field
    .replace('$', '')
    .split('.')
    .filter((key) => key !== '');

/** A path without the leading dot, as in other syntaxes. */
const DOTLESS = /^[A-Za-z_][A-Za-z0-9_]*(?:[./][A-Za-z_][A-Za-z0-9_]*)+/;

function unexpected(rest: string, at: string): RuleError {
  const path = DOTLESS.exec(rest)?.[0].replaceAll('/', '.');
  const hint = path === undefined ? '' : ` A field starts with a dot: {{ .${path} }}.`;
  return new RuleError(at, `The template does not parse: "${rest.trim().slice(0, 40)}" is not expected here.${hint}`);
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  '/': '/',
};

/** The text of a literal, with the escapes of Go and JSON. */
function unquoted(quoted: string, at: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))/gs, (whole, u, long, x, one) => {
      const code = u ?? long ?? x;
      if (code !== undefined && Number.parseInt(code, 16) <= 0x10ffff)
        return String.fromCodePoint(Number.parseInt(code, 16));
      const plain = ESCAPES[one ?? ''];
      if (plain === undefined) throw new RuleError(at, `The template does not parse: ${whole} is not an escape.`);
      return plain;
    });
}
