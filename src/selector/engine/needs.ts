/**
 * What a record must have for a selector to select it: a text in a field, a beginning of it, an item among the tags. These
 * are what selectors are hung up by. A key is looked up in records whose fields have the usual types: a text in the text
 * fields, a list of texts in `tags`; see tables.ts for all other records.
 */
import { anchoredText } from '../anchored.ts';
import type { ComparisonNode, SelectorAst } from '../ast.ts';
import { codeToName } from '../codes.ts';

/** Fields that hold one text. */
const TEXT_FIELDS = [
  'sid',
  'oid',
  'iid',
  'did',
  'hostname',
  'mac_addr',
  'ext_ip',
  'int_ip',
  'plat',
  'ext_plat',
  'arch',
] as const;

export type KeyField = (typeof TEXT_FIELDS)[number] | 'tags';

/** The field is this text, begins with it, or has it among its items. */
export type KeyKind = 'equal' | 'start' | 'item';

export interface Key {
  readonly kind: KeyKind;
  readonly field: KeyField;
  readonly text: string;
}

/** No record without one of `keys` is selected. */
export interface Need {
  readonly keys: readonly Key[];
  /** The conjunct that a usual record with one of the keys makes true; null: having one does not say so much. */
  readonly settles: SelectorAst | null;
}

/** Keys of one need. Each of them costs memory, and a lookup when the selector is added. */
const KEYS_MAX = 1024;

/**
 * How often a record has such a key, roughly guessed: one sensor has the sid, a third of them the platform. Only ratios
 * count. So many selectors are looked at in vain for each that hangs there.
 */
const WEIGHTS: Record<KeyField, number> = {
  sid: 1,
  did: 1,
  mac_addr: 1,
  hostname: 2,
  int_ip: 4,
  ext_ip: 16,
  tags: 256,
  iid: 1024,
  ext_plat: 8192,
  arch: 16384,
  plat: 16384,
  oid: 65536,
};
const START_WEIGHT = 256;

export const weightOf = ({ kind, field }: Key): number => (kind === 'start' ? START_WEIGHT : WEIGHTS[field]);

export interface Parts {
  /** The selector is true when all of these are, in whatever order they are asked. */
  readonly conjuncts: readonly SelectorAst[];
  readonly needs: readonly Need[];
  /** The selector that they are of. */
  readonly whole: SelectorAst;
}

/** Takes a selector apart; the tree is without `not`. */
export function partsOf(tree: SelectorAst): Parts {
  const conjuncts = tree.type === 'and' ? tree.operands : tree.type === 'everything' ? [] : [tree];
  // The items that all any/all of a selector look at count together, so where there are several it is asked as a whole.
  const whole = collectionsIn(tree) > 1;
  const needs: Need[] = [];
  for (const conjunct of conjuncts) {
    const found = conditionOf(conjunct);
    if (found !== null) needs.push({ keys: found.keys, settles: found.exact && !whole ? conjunct : null });
  }
  return { conjuncts: whole ? [tree] : conjuncts, needs, whole: tree };
}

function collectionsIn(node: SelectorAst): number {
  if (node.type === 'collection') return 1;
  if (node.type !== 'and' && node.type !== 'or') return 0;
  return node.operands.reduce((sum, operand) => sum + collectionsIn(operand), 0);
}

/** `exact`: a usual record that has one of the keys makes the part true. */
type Condition = { readonly keys: readonly Key[]; readonly exact: boolean };

function conditionOf(node: SelectorAst): Condition | null {
  switch (node.type) {
    case 'comparison':
      return conditionOfClause(node);
    case 'and':
      return conditionOfAnd(node.operands);
    case 'or':
      return conditionOfOr(node.operands);
    default:
      return null;
  }
}

function conditionOfClause({ path, operator, value }: ComparisonNode): Condition | null {
  const [field] = path;
  if (path.length !== 1 || field === undefined) return null;
  if (field === 'tags') return operator === 'in' ? { keys: [{ kind: 'item', field, text: value }], exact: true } : null;
  if (!isTextField(field)) return null;
  if (operator === '==') {
    const texts = new Set([codeToName(field, value), value]);
    return { keys: [...texts].map((text) => ({ kind: 'equal', field, text })), exact: true };
  }
  const anchored = operator === 'matches' ? anchoredText(value) : null;
  if (anchored === null) return null;
  const kind = anchored.whole ? 'equal' : 'start';
  return { keys: anchored.texts.map((text) => ({ kind, field, text })), exact: anchored.exact };
}

/** The rarest of what the operands ask for: one is enough, since all are needed. */
function conditionOfAnd(operands: readonly SelectorAst[]): Condition | null {
  let rarest: Condition | null = null;
  for (const operand of operands) {
    const next = conditionOf(operand);
    if (next !== null && (rarest === null || guess(next) < guess(rarest))) rarest = { ...next, exact: false };
  }
  return rarest;
}

/**
 * One of the operands must be true, so a key of each is needed. It is exact when all ask for keys of one field: where a
 * record has one of these, none of the operands before can be an error, which would be the answer.
 */
function conditionOfOr(operands: readonly SelectorAst[]): Condition | null {
  const keys = new Map<string, Key>();
  const fields = new Set<KeyField>();
  let exact = true;
  for (const operand of operands) {
    const next = conditionOf(operand);
    if (next === null || keys.size + next.keys.length > KEYS_MAX) return null;
    for (const key of next.keys) {
      keys.set(`${key.kind} ${key.field} ${key.text}`, key);
      fields.add(key.field);
    }
    exact &&= next.exact;
  }
  return { keys: [...keys.values()], exact: exact && fields.size === 1 };
}

const guess = ({ keys }: Condition): number => keys.reduce((sum, key) => sum + weightOf(key), 0);

const isTextField = (field: string): field is (typeof TEXT_FIELDS)[number] =>
  (TEXT_FIELDS as readonly string[]).includes(field);
