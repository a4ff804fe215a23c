/**
 * The index of selectors, and how a record traverses it. A node holds the selectors of one key, and a table of further keys that leads to
 * its child nodes. A selector is stored under every key of one of its requirements: the one that is rarest by the weight of the field
 * and the number of selectors already there. Once a node is crowded, selectors with further requirements go to child nodes, so
 * that conjunctions of common keys (a platform and a tag, two tags) are lookups too.
 *
 * The cost of adding depends on the selector's keys, and the cost of removing on its entries; both are independent of the size of the
 * index.
 */
import type { Key } from '../operators/keys.ts';
import type { SelectorRecord } from '../predicate.ts';
import { work } from '../work-counter.ts';
import type { Clauses, Condition } from './clauses.ts';
import { KeyTable } from './key-table.ts';
import { type KeyReader, newKeyReader } from './record-keys.ts';
import { type Conjunction, type Requirement, weightOf, withoutRequirement } from './required-keys.ts';

/** Selectors that stay in a node although they have further requirements: evaluating so few is as fast as a lookup. */
const CROWD = 4;

/** A selector in one node. */
class Entry<S extends Indexed<S>> {
  readonly selector: S;
  /** What the record must still satisfy. Null: nothing, it is selected. */
  condition: Condition | null = null;
  next: Entry<S> | null = null;
  previous: Entry<S> | null = null;
  node: IndexNode<S> | null = null;
  /** The next entry of the same selector. */
  sibling: Entry<S> | null = null;

  constructor(selector: S | null) {
    this.selector = selector ?? (this as unknown as S);
  }
}

/** What the index can hold. It is its own first entry, which saves an indirection on the way to it. */
export abstract class Indexed<S extends Indexed<S>> extends Entry<S> {
  /** The number of the record that found it last, if it is in several nodes. */
  foundFor = -1;

  constructor() {
    super(null);
  }
}

/** One record on its way through the index. */
export interface Visit<S extends Indexed<S>> {
  readonly record: SelectorRecord;
  /** Different for each record. */
  readonly recordNumber: number;
  readonly found: S[];
  /** When `work.spent` reaches this, nothing more is evaluated: the remaining selectors go to `left`. */
  readonly stopAt: number;
  /** Null: none. */
  left: Set<S> | null;
  /** Nodes whose keys the record has, in the order of the visit. */
  readonly nodes: IndexNode<S>[];
}

export class IndexNode<S extends Indexed<S>> {
  readonly text: string;
  readonly keyReader: KeyReader;
  readonly #parent: IndexNode<S> | null;
  #first: Entry<S> | null = null;
  #children: KeyTable<IndexNode<S>> | null = null;
  #visitedFor = -1;
  #entries = 0;
  /** Entries here and in all descendants. */
  #size = 0;

  /** The node without a parent is the root, which every record visits. */
  constructor(parent: IndexNode<S> | null, keyReader: KeyReader, text: string) {
    this.text = text;
    this.keyReader = keyReader;
    this.#parent = parent;
  }

  get size(): number {
    return this.#size;
  }

  get hasChildren(): boolean {
    return this.#children !== null;
  }

  add(selector: S, conjunction: Conjunction, clauses: Clauses): void {
    const crowded = this.#parent === null || this.#entries >= CROWD;
    const requirement = crowded ? this.#rarest(conjunction.requirements) : undefined;
    if (requirement === undefined) {
      const { conjuncts, whole } = conjunction;
      this.#addEntry(selector, conjuncts.length === 0 ? null : clauses.condition(conjuncts, whole));
      return;
    }
    const rest = withoutRequirement(conjunction, requirement);
    for (const key of requirement.keys) this.#child(key).add(selector, rest, clauses);
  }

  /** False: a field has an unusual type, so lookups do not apply and the result is invalid. */
  visit(visit: Visit<S>): boolean {
    if (this.#visitedFor === visit.recordNumber) return true;
    this.#visitedFor = visit.recordNumber;
    for (let entry = this.#first; entry !== null; entry = entry.next) {
      const { selector, condition } = entry;
      if (condition !== null) {
        if (work.spent >= visit.stopAt) {
          visit.left ??= new Set();
          visit.left.add(selector);
          continue;
        }
        if (condition.evaluate(visit.record, visit.recordNumber) !== true) continue;
      }
      if (selector.sibling !== null) {
        if (selector.foundFor === visit.recordNumber) continue;
        selector.foundFor = visit.recordNumber;
      }
      visit.found.push(selector);
    }
    return this.#children === null || this.#children.find(visit.record, visit.nodes);
  }

  /** Removes all entries of `selector` from the index. */
  static remove<S extends Indexed<S>>(selector: S, clauses: Clauses): void {
    for (let entry: Entry<S> | null = selector; entry !== null; entry = entry.sibling) {
      if (entry.condition !== null) clauses.release(entry.condition);
      if (entry.node !== null) entry.node.#removeEntry(entry);
    }
  }

  #addEntry(selector: S, condition: Condition | null): void {
    let entry: Entry<S> = selector;
    if (selector.node !== null) {
      entry = new Entry<S>(selector);
      entry.sibling = selector.sibling;
      selector.sibling = entry;
    }
    entry.condition = condition;
    entry.node = this;
    entry.next = this.#first;
    if (this.#first !== null) this.#first.previous = entry;
    this.#first = entry;
    this.#entries += 1;
    this.#changeSize(1);
  }

  #removeEntry(entry: Entry<S>): void {
    const { next, previous } = entry;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next !== null) next.previous = previous;
    this.#entries -= 1;
    this.#changeSize(-1);
  }

  /** Called when an entry is added or removed here or in a descendant. The node is removed with its last entry. */
  #changeSize(change: number): void {
    this.#size += change;
    if (this.#parent === null) return;
    if (this.#size === 0) this.#parent.#removeChild(this);
    this.#parent.#changeSize(change);
  }

  #removeChild(child: IndexNode<S>): void {
    this.#children?.delete(child);
    if (this.#children?.size === 0) this.#children = null;
  }

  #rarest(requirements: readonly Requirement[]): Requirement | undefined {
    if (requirements.length < 2) return requirements[0];
    const costs = requirements.map(({ keys }) => keys.reduce((sum, key) => sum + this.#costOf(key), 0));
    return requirements[costs.indexOf(Math.min(...costs))];
  }

  #costOf(key: Key): number {
    return weightOf(key) * (1 + (this.#children?.get(key)?.size ?? 0));
  }

  #child(key: Key): IndexNode<S> {
    this.#children ??= new KeyTable<IndexNode<S>>();
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const child = new IndexNode<S>(this, this.#children.keyReaderOf(key), key.text);
    this.#children.add(child);
    return child;
  }
}

export const newRoot = <S extends Indexed<S>>(): IndexNode<S> =>
  new IndexNode<S>(null, newKeyReader({ kind: 'equal', field: 'oid' }), '');

/** Takes a record through the index, starting at the root. Returns false as `visit` does. */
export function visitAll<S extends Indexed<S>>(root: IndexNode<S>, visit: Visit<S>): boolean {
  if (!root.visit(visit)) return false;
  for (let i = 0; i < visit.nodes.length; i += 1) if (visit.nodes[i]?.visit(visit) === false) return false;
  return true;
}
