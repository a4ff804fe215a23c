/** The same selector without `not`: it is moved inwards to the clauses, whose operators all have a negated form. */
import {
  type CollectionNode,
  type ComparisonNode,
  type ComparisonOperator,
  junction,
  type SelectorAst,
  type StateNode,
  type StateOperator,
} from './ast.ts';

const NEGATED = {
  '==': '!=',
  '!=': '==',
  in: 'not in',
  'not in': 'in',
  matches: 'not matches',
  'not matches': 'matches',
} as const satisfies Record<ComparisonOperator, ComparisonOperator>;

const NEGATED_STATE = {
  'is empty': 'is not empty',
  'is not empty': 'is empty',
  'is nil': 'is not nil',
  'is not nil': 'is nil',
} as const satisfies Record<StateOperator, StateOperator>;

/** Answers as the given tree does for every record, errors included: operands keep their order, and `not` keeps errors. */
export function withoutNot(node: SelectorAst): SelectorAst {
  switch (node.type) {
    case 'not':
      return negated(node.operand);
    case 'and':
    case 'or':
      return junction(node.type, node.operands.map(withoutNot));
    case 'collection':
      return { ...node, operand: withoutNot(node.operand) };
    default:
      return node;
  }
}

function negated(node: SelectorAst): SelectorAst {
  switch (node.type) {
    case 'not':
      return withoutNot(node.operand);
    case 'and':
      return junction('or', node.operands.map(negated));
    case 'or':
      return junction('and', node.operands.map(negated));
    case 'everything':
      return { type: 'not', operand: node };
    default:
      return negatedClause(node);
  }
}

function negatedClause(node: ComparisonNode | StateNode | CollectionNode): SelectorAst {
  if (node.type === 'comparison') return { ...node, operator: NEGATED[node.operator] };
  if (node.type === 'state') return { ...node, operator: NEGATED_STATE[node.operator] };
  return { ...node, quantifier: node.quantifier === 'any' ? 'all' : 'any', operand: negated(node.operand) };
}
