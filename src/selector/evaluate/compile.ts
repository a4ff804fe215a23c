/**
 * Compiles a tree to a predicate. A predicate throws nothing. Evaluation stops at the first operand that decides, so an error counts only
 * where evaluation reaches it. A predicate holds the items of any/all in slots of its own, so it must not be called recursively. Without
 * any/all it allocates nothing.
 */
import type { CollectionNode, ComparisonNode, Leaf, SelectorAst, StateNode } from '../ast.ts';
import { SELECTOR_BOUNDS } from '../bounds.ts';
import type { RegexBudget } from '../operators/operator.ts';
import { COMPARISONS, STATES } from '../operators/table.ts';
import type { Predicate, SelectorRecord } from '../predicate.ts';
import { isSensorField, SENSOR_FIELDS, type SensorFieldName } from '../sensor/fields.ts';
import { work } from '../work-counter.ts';
import { EvaluationBudget, SelectorRegexes } from './regex-budget.ts';
import { ABSENT, BROKEN, bindNames, reader, type Scope, type Slots } from './resolve.ts';

/** Compiles a tree. Never throws: a bad regular expression is an error of the evaluation. `whole`: the selector that the tree is a part
 *  of. All regular expressions of `whole` share one budget. */
export function compileSelector(ast: SelectorAst, whole: SelectorAst = ast): Predicate {
  const slots: Slots = { values: [], visits: 0, clauses: 0 };
  const budget = new EvaluationBudget(SelectorRegexes.of(whole));
  const predicate = compile(ast, { names: [], slots, budget });
  const hasItems = slots.values.length > 0;
  if (!hasItems && budget.isUnused) return predicate;
  if (!hasItems) {
    return (record) => {
      budget.reset();
      return predicate(record);
    };
  }
  return (record) => {
    slots.visits = 0;
    slots.clauses = 0;
    budget.reset();
    const verdict = predicate(record);
    slots.values.fill(undefined);
    work.spent += slots.clauses;
    return verdict;
  };
}

/** The context of a clause: the names that any/all bind around it, the values of these names, and the budget of the selector. */
interface Context {
  readonly names: Scope;
  readonly slots: Slots;
  readonly budget: RegexBudget;
}

/** Joins the predicates of a tree's leaves by its `and`, `or` and `not`. */
export function joinLeaves(node: SelectorAst, predicateOf: (leaf: Leaf) => Predicate): Predicate {
  switch (node.type) {
    case 'everything':
      return () => true;
    case 'not':
      return negate(joinLeaves(node.operand, predicateOf));
    case 'and':
    case 'or':
      return joinOperands(
        node.operands.map((operand) => joinLeaves(operand, predicateOf)),
        node.type === 'and',
      );
    case 'comparison':
    case 'state':
    case 'collection':
      return predicateOf(node);
  }
}

function compile(node: SelectorAst, context: Context): Predicate {
  return joinLeaves(node, (leaf) =>
    leaf.type === 'collection' ? compileCollection(leaf, context) : compileClause(leaf, context),
  );
}

function negate(predicate: Predicate): Predicate {
  return (record) => {
    const verdict = predicate(record);
    return verdict === 'error' ? verdict : !verdict;
  };
}

/** `and` continues while operands are true, `or` while they are false. The first other verdict is the result. */
function joinOperands(operands: readonly Predicate[], continueOn: boolean): Predicate {
  const [first, second] = operands;
  if (operands.length === 2 && first !== undefined && second !== undefined) {
    return (record) => {
      const verdict = first(record);
      return verdict === continueOn ? second(record) : verdict;
    };
  }
  return (record) => {
    for (const operand of operands) {
      const verdict = operand(record);
      if (verdict !== continueOn) return verdict;
    }
    return continueOn;
  };
}

function compileClause(node: ComparisonNode | StateNode, context: Context): Predicate {
  const positive = compilePositive(node, context);
  return node.negated ? negate(positive) : positive;
}

function compilePositive(node: ComparisonNode | StateNode, { names, slots, budget }: Context): Predicate {
  const field = sensorFieldOf(node, names);
  if (field !== undefined && node.type === 'comparison') {
    const predicate = COMPARISONS[node.operator].testField?.(field, node.value);
    if (predicate !== undefined) return predicate;
  }
  const test = node.type === 'state' ? STATES[node.operator].test : COMPARISONS[node.operator].test(node.value, budget);
  if (field !== undefined) {
    const { read } = SENSOR_FIELDS[field];
    return (record) => {
      const value = read(record);
      return value === undefined ? 'error' : test(value);
    };
  }
  const onAbsent = node.type === 'state' && STATES[node.operator].onAbsent;
  const read = reader(node.path, names, slots);
  return (record) => {
    const value = read(record);
    if (value === BROKEN) return 'error';
    return value === ABSENT ? onAbsent : test(value);
  };
}

/** The field, if the path is a field of the sensor itself and no any/all binds its name. */
function sensorFieldOf({ path }: ComparisonNode | StateNode, names: Scope): SensorFieldName | undefined {
  const [field] = path;
  if (path.length !== 1 || field === undefined || !isSensorField(field)) return undefined;
  return names.some(({ name }) => name === field) ? undefined : field;
}

const { itemVisits, itemClauses } = SELECTOR_BOUNDS;

/** Clauses that are evaluated on one item. Those inside a nested any/all count for the items of that one. */
function countLeaves(node: SelectorAst): number {
  if (node.type === 'not') return countLeaves(node.operand);
  if (node.type !== 'and' && node.type !== 'or') return 1;
  return node.operands.reduce((sum, operand) => sum + countLeaves(operand), 0);
}

function compileCollection(node: CollectionNode, { names, slots, budget }: Context): Predicate {
  const read = reader(node.path, names, slots);
  const { scope, index, item, byDefault, clash } = bindNames(node, names, slots);
  const inner = compile(node.operand, { names: scope, slots, budget });
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
      slots.clauses += clauses;
      if (clash || slots.visits > itemVisits || slots.clauses > itemClauses) return 'error';
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
