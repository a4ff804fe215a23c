/**
 * Tree to text. The text parses to the same tree (columns apart), is the same for equal trees, and reads as go-bexpr
 * does except for values that begin with a slash. So it also serves as the key under which equal selectors meet.
 */
import type { CollectionNode, SelectorAst } from './ast.ts';
import { strayBytes } from './literals.ts';

const NAME = /^[a-zA-Z][a-zA-Z0-9_/]*$/;
const INDEX = /^[0-9]+$/;
/** Words that could be read as part of the grammar where a field of that name stands alone. */
const WORDS = new Set(['not', 'NOT', 'and', 'AND', 'or', 'OR', 'in', 'is', 'contains', 'matches', 'any', 'all', 'as']);

export function printSelector(ast: SelectorAst): string {
  switch (ast.type) {
    case 'everything':
      return '*';
    case 'and':
      return ast.operands.map((operand) => within(operand, ['or', 'collection'])).join(' and ');
    case 'or':
      return ast.operands
        .map((operand, i, all) => within(operand, i < all.length - 1 ? ['collection'] : []))
        .join(' or ');
    case 'not':
      return `not ${within(ast.operand, ['and', 'or', 'collection'])}`;
    case 'collection':
      return printCollection(ast);
    case 'state':
      return `${printPath(ast.path)} ${ast.operator}`;
    default: {
      const value = quote(ast.value);
      const path = printPath(ast.path);
      const swapped = ast.operator === 'in' || ast.operator === 'not in';
      return swapped ? `${value} ${ast.operator} ${path}` : `${path} ${ast.operator} ${value}`;
    }
  }
}

/** Prints a node, in parentheses if it is of a kind that may not stand bare here. */
function within(node: SelectorAst, kinds: readonly SelectorAst['type'][]): string {
  const text = printSelector(node);
  return kinds.includes(node.type) ? `(${text})` : text;
}

function printCollection(node: CollectionNode): string {
  const { default: name, index, item } = node.binding;
  const names = name ?? `${index ?? '_'}, ${item ?? '_'}`;
  return `${node.quantifier} ${printPath(node.path)} as ${names} { ${printSelector(node.operand)} }`;
}

/** Dots and brackets where the first part is a name, else a JSON pointer. */
export function printPath(path: readonly string[]): string {
  const [first = '', ...rest] = path;
  if (!NAME.test(first) || (path.length === 1 && WORDS.has(first))) return printPointer(path);
  return first + rest.map((part) => (NAME.test(part) || INDEX.test(part) ? `.${part}` : `[${quote(part)}]`)).join('');
}

function printPointer(path: readonly string[]): string {
  if (path.length === 1 && path[0] === '') return '""';
  return `"${path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}"`;
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\x22', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text in double quotes, with Go's escapes where they are needed. */
export function quote(text: string): string {
  if (strayBytes(text) !== null) return `"${[...text].map(escapeCharacter).join('')}"`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped.
  return `"${text.replace(/["\\\u0000-\u001f\u007f]/g, escapeCharacter)}"`;
}

function escapeCharacter(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const known = ESCAPES[char];
  if (known !== undefined) return known;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : char;
}
