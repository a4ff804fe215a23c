/**
 * Prints a tree as text. The text parses to the same tree except for columns, so equal trees have equal text, and the text serves as
 * the key of a group of equal selectors. go-bexpr reads the text alike, except for values that begin with a slash.
 */
import type { CollectionNode, SelectorAst } from '../ast.ts';
import { COMPARISONS, comparisonText, stateText } from '../operators/table.ts';
import { strayBytes } from '../stray-bytes.ts';
import { WORDS } from './clause.ts';

const NAME = /^[a-zA-Z][a-zA-Z0-9_/]*$/;
const INDEX = /^[0-9]+$/;
/** A field with such a name is printed as a JSON pointer, because alone it could be read as part of the grammar. */
const KEYWORDS = ['not', 'NOT', 'and', 'AND', 'or', 'OR', 'is', 'any', 'all', 'as'];
const GRAMMAR_WORDS = new Set([...KEYWORDS, ...WORDS.map(({ word }) => word)]);

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
      return `${printPath(ast.path)} ${stateText(ast.operator, ast.negated)}`;
    default: {
      const value = quote(ast.value);
      const path = printPath(ast.path);
      const operator = comparisonText(ast.operator, ast.negated);
      return COMPARISONS[ast.operator].valueFirst ? `${value} ${operator} ${path}` : `${path} ${operator} ${value}`;
    }
  }
}

/** Prints a node, in parentheses if it is of one of these kinds. */
function within(node: SelectorAst, kinds: readonly SelectorAst['type'][]): string {
  const text = printSelector(node);
  return kinds.includes(node.type) ? `(${text})` : text;
}

function printCollection(node: CollectionNode): string {
  const { default: name, index, item } = node.binding;
  const names = name ?? `${index ?? '_'}, ${item ?? '_'}`;
  return `${node.quantifier} ${printPath(node.path)} as ${names} { ${printSelector(node.operand)} }`;
}

/** Dots and brackets if the first part is a name, else a JSON pointer. */
export function printPath(path: readonly string[]): string {
  const [first = '', ...rest] = path;
  if (!NAME.test(first) || (path.length === 1 && GRAMMAR_WORDS.has(first))) return printPointer(path);
  return first + rest.map((part) => (NAME.test(part) || INDEX.test(part) ? `.${part}` : `[${quote(part)}]`)).join('');
}

function printPointer(path: readonly string[]): string {
  if (path.length === 1 && path[0] === '') return '""';
  return `"${path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}"`;
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\x22', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text in double quotes, with Go's escapes where necessary. */
export function quote(text: string): string {
  if (strayBytes(text) !== null) return `"${[...text].map(escapeCharacter).join('')}"`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must be escaped.
  return `"${text.replace(/["\\\u0000-\u001f\u007f]/g, escapeCharacter)}"`;
}

function escapeCharacter(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const known = ESCAPES[char];
  if (known !== undefined) return known;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : char;
}
