/**
 * Tree to predicate. A predicate answers true, false or 'error' and throws nothing; evaluation stops at the first operand
 * that decides, so an error counts only where it is reached. It keeps the items of any/all in slots of its own: call it
 * from one place at a time, which single-threaded code does by itself. Without any/all it allocates nothing.
 */
import {
  type CollectionNode,
  type ComparisonNode,
  SELECTOR_BOUNDS,
  type SelectorAst,
  type SelectorRecord,
  type StateNode,
  type Verdict,
} from './ast.ts';
import { codeToName } from './codes.ts';
import { isSensorField, SENSOR_FIELDS } from './fields.ts';
import { emptiness, equality, membership, nilness, pattern, type ValueTest } from './operators.ts';
import { ABSENT, BROKEN, bindNames, reader, type Scope, type Slots } from './resolve.ts';
import { work } from './spent.ts';
import { Regexes, RegexRoom } from './work.ts';

export type Predicate = (record: SelectorRecord) => Verdict;

/** A clause, or an any/all with what is in it: what has to be asked of a record. */
export type Leaf = ComparisonNode | StateNode | CollectionNode;

/** Compiles a tree; never fails, since a bad regular expression is an error of the evaluation. `whole`: the selector that the
 *  tree is a part of, whose regular expressions share one budget. */
export function compileSelector(ast: SelectorAst, whole: SelectorAst = ast): Predicate {
  const slots: Slots = { values: [], visits: 0, asked: 0 };
  const room = new RegexRoom(Regexes.of(whole));
  const predicate = compile(ast, { names: [], slots, room });
  const hasItems = slots.values.length > 0;
  if (!hasItems && room.isUnused) return predicate;
  if (!hasItems) {
    return (record) => {
      room.reset();
      return predicate(record);
    };
  }
  return (record) => {
    slots.visits = 0;
    slots.asked = 0;
    room.reset();
    const verdict = predicate(record);
    slots.values.fill(undefined);
    work.spent += slots.asked;
    return verdict;
  };
}

/** What clauses are compiled with: the names that any/all bind around them, what those hold, and the room of the selector. */
interface Surroundings {
  readonly names: Scope;
  readonly slots: Slots;
  readonly room: RegexRoom;
}

/** Joins the predicates of a tree's leaves as its `and`, `or` and `not` say. */
export function joinLeaves(node: SelectorAst, predicateOf: (leaf: Leaf) => Predicate): Predicate {
  switch (node.type) {
    case 'everything':
      return () => true;
    case 'not':
      return negate(joinLeaves(node.operand, predicateOf));
    case 'and':
    case 'or':
      return decide(
        node.operands.map((operand) => joinLeaves(operand, predicateOf)),
        node.type === 'and',
      );
    default:
      return predicateOf(node);
  }
}

function compile(node: SelectorAst, around: Surroundings): Predicate {
  return joinLeaves(node, (leaf) =>
    leaf.type === 'collection' ? compileCollection(leaf, around) : compileClause(leaf, around),
  );
}

function negate(predicate: Predicate): Predicate {
  return (record) => {
    const verdict = predicate(record);
    return verdict === 'error' ? verdict : !verdict;
  };
}

/** `and` goes on while operands say true, `or` while they say false; the first other verdict is the answer. */
function decide(operands: readonly Predicate[], goOn: boolean): Predicate {
  const [first, second] = operands;
  if (operands.length === 2 && first !== undefined && second !== undefined) {
    return (record) => {
      const verdict = first(record);
      return verdict === goOn ? second(record) : verdict;
    };
  }
  return (record) => {
    for (const operand of operands) {
      const verdict = operand(record);
      if (verdict !== goOn) return verdict;
    }
    return goOn;
  };
}

function compileClause(node: ComparisonNode | StateNode, { names, slots, room }: Surroundings): Predicate {
  const negated = node.operator.includes('not') || node.operator === '!=';
  // Of a key that a nested map lacks: it is empty and nil, and it equals, holds and matches nothing.
  const absent = node.type === 'state';
  const test = testOf(node, room);
  const [field] = node.path;
  if (node.path.length === 1 && field !== undefined && isSensorField(field) && !names.some((b) => b.name === field)) {
    const positive =
      node.type === 'comparison' && (node.operator === '==' || node.operator === '!=')
        ? compileFieldEquality(field, node.value)
        : onPresent(SENSOR_FIELDS[field].read, test);
    return negated ? negate(positive) : positive;
  }
  const read = reader(node.path, names, slots);
  const positive: Predicate = (record) => {
    const value = read(record);
    if (value === BROKEN) return 'error';
    return value === ABSENT ? absent : test(value);
  };
  return negated ? negate(positive) : positive;
}

function onPresent(read: (record: SelectorRecord) => unknown, test: ValueTest): Predicate {
  return (record) => {
    const value = read(record);
    return value === undefined ? 'error' : test(value);
  };
}

/** Platforms and architectures are names in a record; a selector may also write their codes. */
function compileFieldEquality(field: keyof typeof SENSOR_FIELDS, text: string): Predicate {
  const asWritten = equality(text);
  const name = codeToName(field, text);
  // The name itself has already been compared when this is asked.
  const other: ValueTest = (value) => (typeof value === 'string' ? value === text : asWritten(value));
  return SENSOR_FIELDS[field].is(name, other);
}

function testOf(node: ComparisonNode | StateNode, room: RegexRoom): ValueTest {
  switch (node.operator) {
    case '==':
    case '!=':
      return equality(node.value);
    case 'in':
    case 'not in':
      return membership(node.value);
    case 'matches':
    case 'not matches':
      return pattern(node.value, room);
    case 'is empty':
    case 'is not empty':
      return emptiness;
    default:
      return nilness;
  }
}

const { itemVisits, itemClauses } = SELECTOR_BOUNDS;

/** Those that one item is asked; what stands in a further any/all is asked of its own items. */
function countLeaves(node: SelectorAst): number {
  if (node.type === 'not') return countLeaves(node.operand);
  if (node.type !== 'and' && node.type !== 'or') return 1;
  return node.operands.reduce((sum, operand) => sum + countLeaves(operand), 0);
}

function compileCollection(node: CollectionNode, { names, slots, room }: Surroundings): Predicate {
  const read = reader(node.path, names, slots);
  const { scope, index, item, byDefault, clash } = bindNames(node, names, slots);
  const inner = compile(node.operand, { names: scope, slots, room });
  const all = node.quantifier === 'all';
  const clauses = countLeaves(node.operand);
  return (record) => {
    const value = read(record);
    if (value === ABSENT) return all;
    if (typeof value !== 'object' || value === null) return 'error';
    const keys = Array.isArray(value) ? null : Object.keys(value);
    const count = keys === null ? (value as unknown[]).length : keys.length;
    for (let i = 0; i < count; i += 1) {
      slots.visits += 1;
      slots.asked += clauses;
      if (clash || slots.visits > itemVisits || slots.asked > itemClauses) return 'error';
      const key = keys === null ? BigInt(i) : (keys[i] ?? '');
      const content = keys === null ? (value as unknown[])[i] : (value as SelectorRecord)[key as string];
      if (index !== -1) slots.values[index] = key;
      if (item !== -1) slots.values[item] = content;
      if (byDefault !== -1) slots.values[byDefault] = keys === null ? content : key;
      const verdict = inner(record);
      if (verdict !== all) return verdict;
    }
    return all;
  };
}
