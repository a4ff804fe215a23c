/**
 * The keys that a record must have for a selector to select it. The index stores selectors under these keys. They apply to usual records
 * only; SelectorSet scans all other records.
 */
import type { SelectorAst } from '../ast.ts';
import type { Key, KeyField, RequiredKeys } from '../operators/keys.ts';
import { COMPARISONS } from '../operators/table.ts';

/** No record without one of `keys` is selected. */
export interface Requirement {
  readonly keys: readonly Key[];
  /** The conjunct that is true for every usual record with one of the keys. Null: a key does not imply any conjunct. */
  readonly settles: SelectorAst | null;
}

/** Limit on the keys of one requirement. Each costs memory, and a lookup when the selector is added. */
const KEYS_MAX = 1024;

/**
 * How often a record has a key of this field, estimated roughly: one sensor has the sid, a third of them the platform. Only ratios
 * matter. The weight is the expected number of selectors that are visited in vain.
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

/** A selector as a conjunction. */
export interface Conjunction {
  /** The selector is true when all of these are, in any order of evaluation. */
  readonly conjuncts: readonly SelectorAst[];
  readonly requirements: readonly Requirement[];
  readonly whole: SelectorAst;
}

/** `tree` contains no `not`. */
export function conjunctionOf(tree: SelectorAst): Conjunction {
  const conjuncts = tree.type === 'and' ? tree.operands : tree.type === 'everything' ? [] : [tree];
  // All any/all of a selector share one limit on items, so a selector with several is evaluated as a whole.
  const asWhole = collectionsIn(tree) > 1;
  const requirements: Requirement[] = [];
  for (const conjunct of conjuncts) {
    const required = requiredKeys(conjunct);
    if (required === null) continue;
    requirements.push({ keys: required.keys, settles: required.exact && !asWhole ? conjunct : null });
  }
  return { conjuncts: asWhole ? [tree] : conjuncts, requirements, whole: tree };
}

/** What remains once the record is known to have a key of `used`. */
export function withoutRequirement({ conjuncts, requirements, whole }: Conjunction, used: Requirement): Conjunction {
  const { settles } = used;
  return {
    conjuncts: settles === null ? conjuncts : conjuncts.filter((one) => one !== settles),
    requirements: requirements.filter((one) => one !== used),
    whole,
  };
}

function collectionsIn(node: SelectorAst): number {
  if (node.type === 'collection') return 1;
  if (node.type !== 'and' && node.type !== 'or') return 0;
  return node.operands.reduce((sum, operand) => sum + collectionsIn(operand), 0);
}

function requiredKeys(node: SelectorAst): RequiredKeys | null {
  switch (node.type) {
    case 'comparison': {
      const [field] = node.path;
      if (node.negated || node.path.length !== 1 || field === undefined) return null;
      return COMPARISONS[node.operator].requiredKeys?.(field, node.value) ?? null;
    }
    case 'and':
      return requiredByAnd(node.operands);
    case 'or':
      return requiredByOr(node.operands);
    case 'everything':
    case 'not':
    case 'state':
    case 'collection':
      return null;
  }
}

/** The rarest keys that any operand requires. */
function requiredByAnd(operands: readonly SelectorAst[]): RequiredKeys | null {
  let rarest: RequiredKeys | null = null;
  for (const operand of operands) {
    const next = requiredKeys(operand);
    if (next !== null && (rarest === null || weight(next) < weight(rarest))) rarest = { ...next, exact: false };
  }
  return rarest;
}

/**
 * One operand must be true, so the record has a key of one of them. This is exact when all keys are of one field: for a record with one
 * of these keys, no earlier operand can be an error, which would be the verdict.
 */
function requiredByOr(operands: readonly SelectorAst[]): RequiredKeys | null {
  const keys = new Map<string, Key>();
  const fields = new Set<KeyField>();
  let exact = true;
  for (const operand of operands) {
    const next = requiredKeys(operand);
    if (next === null || keys.size + next.keys.length > KEYS_MAX) return null;
    for (const key of next.keys) {
      keys.set(`${key.kind} ${key.field} ${key.text}`, key);
      fields.add(key.field);
    }
    exact &&= next.exact;
  }
  return { keys: [...keys.values()], exact: exact && fields.size === 1 };
}

const weight = ({ keys }: RequiredKeys): number => keys.reduce((sum, key) => sum + weightOf(key), 0);
