/**
 * Matches many selectors with one record. Equal selectors form a group. The index (index-node.ts) stores groups under the keys that a
 * record must have (required-keys.ts), and evaluates only what the keys do not settle. The result is that of the plain predicates: a
 * selector with the verdict 'error' does not match.
 *
 * Ids are unique: adding an id again replaces its selector and value. The cost of adding and deleting depends on the terms of the
 * selector; the cost of matching depends on the keys of the record and the groups under them. Matches are in insertion order
 * within a group. The order of groups is unspecified.
 */
import type { SelectorAst } from '../ast.ts';
import { compileSelector } from '../evaluate/compile.ts';
import { printSelector } from '../language/print.ts';
import type { Predicate, SelectorRecord } from '../predicate.ts';
import { SLICE_WORK, type Slices } from '../slices.ts';
import { work } from '../work-counter.ts';
import { Clauses } from './clauses.ts';
import { Indexed, IndexNode, newRoot, type Visit, visitAll } from './index-node.ts';
import { conjunctionOf } from './required-keys.ts';
import { withoutNot } from './without-not.ts';

/** Equal selectors of a set. Valid until the set changes. */
export interface MatchedGroup<T> extends Iterable<T> {
  /** At least 1. */
  readonly size: number;
}

/** An id with its value, in the list of its group. */
interface Member<T> {
  readonly id: string;
  readonly value: T;
  readonly group: Group<T>;
  next: Member<T> | null;
  previous: Member<T> | null;
}

class Group<T> extends Indexed<Group<T>> implements MatchedGroup<T> {
  first: Member<T> | null = null;
  #last: Member<T> | null = null;
  size = 0;
  readonly text: string;
  readonly #tree: SelectorAst;
  #predicate: Predicate | null = null;

  constructor(text: string, tree: SelectorAst) {
    super();
    this.text = text;
    this.#tree = tree;
  }

  /** The plain predicate, for records to which keys do not apply. */
  selects(record: SelectorRecord): boolean {
    this.#predicate ??= compileSelector(this.#tree);
    return this.#predicate(record) === true;
  }

  append(id: string, value: T): Member<T> {
    const member: Member<T> = { id, value, group: this, next: null, previous: this.#last };
    if (this.#last === null) this.first = member;
    else this.#last.next = member;
    this.#last = member;
    this.size += 1;
    return member;
  }

  remove({ next, previous }: Member<T>): void {
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    this.size -= 1;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let member = this.first; member !== null; member = member.next) yield member.value;
  }
}

const NOTHING_LEFT: readonly never[] = [];

/** The current values of the groups. */
function valuesOf<T>(groups: readonly Group<T>[]): T[] {
  const values: T[] = [];
  for (const group of groups)
    for (let member = group.first; member !== null; member = member.next) values.push(member.value);
  return values;
}

export class SelectorSet<T> {
  readonly #members = new Map<string, Member<T>>();
  readonly #groups = new Map<string, Group<T>>();
  readonly #clauses = new Clauses();
  readonly #root = newRoot<Group<T>>();
  /** Numbers records, so that each is evaluated only once by a clause or a node. */
  #recordNumber = 0;

  /** Number of ids. */
  get size(): number {
    return this.#members.size;
  }

  /** There are no ids, and nothing is left in the index. */
  get isEmpty(): boolean {
    return (
      this.#members.size + this.#groups.size + this.#root.size + this.#clauses.size === 0 && !this.#root.hasChildren
    );
  }

  /** `match` returns `value` for every record that `ast` selects. */
  add(id: string, ast: SelectorAst, value: T): void {
    this.delete(id);
    const tree = withoutNot(ast);
    const text = printSelector(tree);
    let group = this.#groups.get(text);
    if (group === undefined) {
      group = new Group<T>(text, tree);
      this.#groups.set(text, group);
      this.#root.add(group, conjunctionOf(tree), this.#clauses);
    }
    this.#members.set(id, group.append(id, value));
  }

  /** Returns whether the set had `id`. */
  delete(id: string): boolean {
    const member = this.#members.get(id);
    if (member === undefined) return false;
    const { group } = member;
    this.#members.delete(id);
    group.remove(member);
    if (group.size > 0) return true;
    this.#groups.delete(group.text);
    IndexNode.remove(group, this.#clauses);
    return true;
  }

  get(id: string): T | undefined {
    return this.#members.get(id)?.value;
  }

  /** The values of all selectors that select this record. */
  match(record: SelectorRecord): T[] {
    return valuesOf(this.#find(record));
  }

  /** Like `match`, by groups, without reading their values. For callers that need only some values, or their number. */
  matchGroups(record: SelectorRecord): readonly MatchedGroup<T>[] {
    return this.#find(record);
  }

  *values(): IterableIterator<T> {
    for (const { value } of this.#members.values()) yield value;
  }

  /** Like `match`, with a work limit: `left` has the groups that were not evaluated after `most` units of work (work-counter.ts).
   *  With 0 it finds only matches that need no evaluation. */
  matchWithin(record: SelectorRecord, most: number): { matched: T[]; left: readonly Group<T>[] } {
    const { found, left } = this.#visit(record, work.spent + most);
    return { matched: valuesOf(found), left };
  }

  /** Like `match`, with other work of the process between slices. A group that is removed meanwhile may be in the result; one that is
   *  added is not. */
  async matchInSlices(record: SelectorRecord, slices: Slices): Promise<T[]> {
    const { matched, left } = this.matchWithin(record, SLICE_WORK);
    if (left.length === 0) return matched;
    return [...matched, ...valuesOf(await slices.filter(left, (group) => group.selects(record)))];
  }

  #find(record: SelectorRecord): readonly Group<T>[] {
    return this.#visit(record, Number.POSITIVE_INFINITY).found;
  }

  #visit(record: SelectorRecord, stopAt: number): { found: readonly Group<T>[]; left: readonly Group<T>[] } {
    this.#recordNumber += 1;
    const recordNumber = this.#recordNumber;
    const visit: Visit<Group<T>> = { record, recordNumber, found: [], nodes: [], stopAt, left: null };
    if (visitAll(this.#root, visit)) {
      const { found, left } = visit;
      if (left === null) return { found, left: NOTHING_LEFT };
      // A group at several index nodes may already have been evaluated at one of them, and matched.
      for (const group of found) left.delete(group);
      return { found, left: [...left] };
    }
    const all = [...this.#groups.values()];
    if (stopAt !== Number.POSITIVE_INFINITY) return { found: [], left: all };
    return { found: all.filter((group) => group.selects(record)), left: NOTHING_LEFT };
  }
}
