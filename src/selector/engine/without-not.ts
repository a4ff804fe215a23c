/** Removes `not` from a selector by moving it inwards to the clauses, each of which has a negated form. */
import { junction, type Leaf, type SelectorAst } from '../ast.ts';

/** The result gives the same verdict for every record, including errors: operands keep their order, and `not` keeps errors. */
export function withoutNot(node: SelectorAst): SelectorAst {
  switch (node.type) {
    case 'not':
      return negated(node.operand);
    case 'and':
    case 'or':
      return junction(node.type, node.operands.map(withoutNot));
    case 'collection':
      return { ...node, operand: withoutNot(node.operand) };
    case 'everything':
    case 'comparison':
    case 'state':
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
    case 'comparison':
    case 'state':
    case 'collection':
      return negatedLeaf(node);
  }
}

function negatedLeaf(node: Leaf): Leaf {
  if (node.type !== 'collection') return { ...node, negated: !node.negated };
  return { ...node, quantifier: node.quantifier === 'any' ? 'all' : 'any', operand: negated(node.operand) };
}
