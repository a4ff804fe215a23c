/**
 * Parses a text to a tree, by recursive descent. The grammar (white space is required around words, not around `==` and `!=`; the
 * operators are those of operators/table.ts):
 *
 *   expression  = or
 *   or          = and { "or" and } [ "or" collection ] | collection
 *   and         = not { "and" not }
 *   not         = "not" not | "(" or ")" | clause
 *   clause      = path ( "==" | "!=" | [ "not" ] "contains" | [ "not" ] "matches" ) value
 *               | path "is" [ "not" ] ( "empty" | "nil" )
 *               | value [ "not" ] "in" path
 *   collection  = ( "any" | "all" ) path "as" names "{" or "}"
 *
 * No word is reserved: `not in tags` selects the tag "not". So `not` is tried as the operator first, and then as a name. Nothing else is
 * read twice, so parsing is linear. Comparisons are tried before `any`/`all`, so `any in tags` is a comparison. `AND`, `OR` and `NOT` equal
 * their lower case.
 */
import {
  type CollectionBinding,
  type ComparisonNode,
  EVERYTHING,
  junction,
  negation,
  type SelectorAst,
} from '../ast.ts';
import { SELECTOR_BOUNDS } from '../bounds.ts';
import { COMPARISONS } from '../operators/table.ts';
import {
  type ClauseHead,
  readClauseHead,
  readOperand,
  readOperator,
  readPath,
  type WrittenOperator,
} from './clause.ts';
import { Cursor } from './cursor.ts';
import { syntaxError } from './hints.ts';

/** The selector of a request. null, undefined, '' and `*` select every sensor. Throws only SelectorError. */
export function parseSelector(text: string | null | undefined): SelectorAst {
  if (text === null || text === undefined || text === '') return EVERYTHING;
  return parseExpression(text);
}

/** A selector that must not be empty: '' and blank text are syntax errors here, `*` is not. */
export function parseExpression(text: string): SelectorAst {
  const cursor = new Cursor(text);
  refuseUnreadable(cursor);
  cursor.space();
  if (cursor.take('*')) {
    cursor.space();
    if (cursor.atEnd) return EVERYTHING;
    cursor.expect('the end');
    throw syntaxError(cursor);
  }
  const tree = new Grammar(cursor).or();
  if (tree !== null) {
    cursor.space();
    if (cursor.atEnd) return tree;
    cursor.expect('the end');
  }
  throw syntaxError(cursor);
}

function refuseUnreadable(cursor: Cursor): void {
  const { text } = cursor;
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > SELECTOR_BOUNDS.textBytes) {
    const expected = `at most ${SELECTOR_BOUNDS.textBytes} bytes (there are ${bytes})`;
    throw cursor.error('selector_too_long', 0, expected, 'tag the sensors and select the tag');
  }
  if (!text.isWellFormed()) {
    throw cursor.error('selector_syntax', text.search(/\p{Surrogate}/u), 'text that can be encoded as UTF-8');
  }
}

/** The two sides of a comparison, with their positions in the text. */
interface Sides {
  readonly path: readonly string[];
  readonly pathOffset: number;
  readonly value: string;
  readonly valueOffset: number;
}

class Grammar {
  readonly #cursor: Cursor;
  #depth = 0;
  #terms = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  or(): SelectorAst | null {
    const operands: SelectorAst[] = [];
    do {
      const start = this.#cursor.offset;
      const next = this.#and();
      if (next === null) {
        this.#cursor.offset = start;
        const last = this.#collection();
        return last && junction('or', [...operands, last]);
      }
      operands.push(next);
    } while (this.#cursor.spacedWord('or', 'OR'));
    return junction('or', operands);
  }

  #and(): SelectorAst | null {
    const operands: SelectorAst[] = [];
    do {
      const next = this.#not();
      if (next === null) return null;
      operands.push(next);
    } while (this.#cursor.spacedWord('and', 'AND'));
    return junction('and', operands);
  }

  /** Consecutive `not` are counted, not nested. If no clause follows the last one, it is read as a name. */
  #not(): SelectorAst | null {
    const cursor = this.#cursor;
    let count = 0;
    let last = cursor.offset;
    for (let start = last; cursor.word('not') || cursor.word('NOT'); start = cursor.offset) {
      last = start;
      count += 1;
    }
    let operand = cursor.startsWith('(') ? this.#group() : this.#clause();
    if (operand === null && count > 0) {
      cursor.offset = last;
      operand = this.#clause();
      count -= 1;
    }
    if (operand === null) return null;
    return count % 2 === 0 ? operand : negation(operand);
  }

  #group(): SelectorAst | null {
    const cursor = this.#cursor;
    this.#enter();
    cursor.take('(');
    cursor.space();
    const inner = this.or();
    if (inner === null) return null;
    cursor.space();
    if (!cursor.take(')')) return cursor.expect('")"');
    this.#depth -= 1;
    return inner;
  }

  #clause(): SelectorAst | null {
    const cursor = this.#cursor;
    const head = readClauseHead(cursor);
    const operator = head === null ? null : readOperator(cursor);
    if (head === null || operator === null) return null;
    const clause = this.#finish(head, operator);
    if (clause !== null) this.#count(head.offset);
    return clause;
  }

  #finish(head: ClauseHead, written: WrittenOperator): SelectorAst | null {
    const cursor = this.#cursor;
    if (written.type === 'comparison' && written.valueFirst) {
      const pathOffset = cursor.offset;
      const path = readPath(cursor)?.path;
      // An error, not null: go-bexpr does not go back to reading a `not` before this as a name either.
      if (path === undefined) {
        cursor.expect('a field');
        throw syntaxError(cursor);
      }
      return this.#comparison(written, { path, pathOffset, value: head.text, valueOffset: head.offset });
    }
    if (head.path === null) return cursor.expect('a field', head.offset);
    const { path, offset: pathOffset } = head;
    if (written.type === 'state') {
      const { operator, negated } = written;
      return { type: 'state', column: cursor.column(pathOffset), path, operator, negated };
    }
    const valueOffset = cursor.offset;
    const value = readOperand(cursor)?.text ?? cursor.expect('a value');
    if (value === null) return null;
    return this.#comparison(written, { path, pathOffset, value, valueOffset });
  }

  #comparison({ operator, negated }: Pick<ComparisonNode, 'operator' | 'negated'>, sides: Sides): ComparisonNode {
    const cursor = this.#cursor;
    const { path, pathOffset, value, valueOffset } = sides;
    if (COMPARISONS[operator].valueIs === 'regex' && value.length > SELECTOR_BOUNDS.regexLength) {
      const expected = `at most ${SELECTOR_BOUNDS.regexLength} characters of regular expression`;
      throw cursor.error('selector_regex_too_long', valueOffset, expected);
    }
    // In rising order, because the cursor counts columns forward.
    const column = cursor.column(Math.min(pathOffset, valueOffset));
    const second = cursor.column(Math.max(pathOffset, valueOffset));
    const pathColumn = pathOffset < valueOffset ? column : second;
    const valueColumn = pathOffset < valueOffset ? second : column;
    return { type: 'comparison', column, path, operator, negated, value, pathColumn, valueColumn };
  }

  #collection(): SelectorAst | null {
    const cursor = this.#cursor;
    const start = cursor.offset;
    const quantifier = cursor.word('any') ? 'any' : cursor.word('all') ? 'all' : null;
    if (quantifier === null) return null;
    this.#enter();
    const pathColumn = cursor.column(cursor.offset);
    const path = readPath(cursor)?.path ?? cursor.expect('a field');
    if (path === null || !cursor.spacedWord('as')) return null;
    const binding = readBinding(cursor);
    if (binding === null) return null;
    cursor.space();
    if (!cursor.take('{')) return cursor.expect('"{"');
    cursor.space();
    const operand = this.or();
    if (operand === null) return null;
    cursor.space();
    if (!cursor.take('}')) return cursor.expect('"}"');
    this.#depth -= 1;
    this.#count(start);
    return { type: 'collection', column: cursor.column(start), pathColumn, quantifier, path, binding, operand };
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth <= SELECTOR_BOUNDS.depth) return;
    const expected = `at most ${SELECTOR_BOUNDS.depth} levels of parentheses and any/all`;
    throw this.#cursor.error('selector_too_deep', this.#cursor.offset, expected);
  }

  #count(offset: number): void {
    this.#terms += 1;
    if (this.#terms <= SELECTOR_BOUNDS.terms) return;
    const expected = `at most ${SELECTOR_BOUNDS.terms} clauses`;
    throw this.#cursor.error('selector_too_many_terms', offset, expected, 'tag the sensors and select the tag');
  }
}

const NAME = /[a-zA-Z][a-zA-Z0-9_/]*/y;

/** `t`, `i, v`, `i, _` or `_, v`. */
function readBinding(cursor: Cursor): CollectionBinding | null {
  const index = cursor.match(NAME);
  if (index === null && !cursor.take('_')) return cursor.expect('a name for the item');
  const afterFirst = cursor.offset;
  cursor.space();
  if (!cursor.take(',')) {
    cursor.offset = afterFirst;
    return index === null ? cursor.expect('","') : { default: index };
  }
  cursor.space();
  const item = cursor.match(NAME);
  if (item !== null) return index === null ? { item } : { index, item };
  if (index !== null && cursor.take('_')) return { index };
  return cursor.expect('a name for the item');
}
