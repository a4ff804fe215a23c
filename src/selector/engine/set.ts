/**
 * Many selectors against one record. Selectors that read alike form a group, and groups hang in an index by what a record
 * must have to be selected (needs.ts); only what the index does not settle is evaluated. The answers are those of the
 * plain predicate: a selector that answers 'error' does not match.
 *
 * Ids are unique: adding an id again replaces what it stood for. Adding and taking away cost what the selector's
 * terms are, matching what the record's keys and the groups found there are. The order of what matched is that of insertion
 * within a group, and unspecified between groups.
 */
import type { SelectorAst, SelectorRecord } from '../ast.ts';
import { compileSelector, type Predicate } from '../compile.ts';
import { withoutNot } from '../normal.ts';
import { printSelector } from '../print.ts';
import { work } from '../spent.ts';
import { SLICE_WORK, type Slices } from '../work.ts';
import { Clauses } from './clauses.ts';
import { partsOf } from './needs.ts';
import { Hung, newRoot, Place, type Visit, visitAll } from './places.ts';

/** The selectors of a set that read alike. To be read before the set is changed again. */
export interface MatchedGroup<T> extends Iterable<T> {
  /** How many there are, from 1. */
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

class Group<T> extends Hung<Group<T>> implements MatchedGroup<T> {
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

  /** The plain predicate, for records that lookups cannot judge. */
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

/** What the groups hold now. */
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
  #now = 0;

  /** How many ids the set holds. */
  get size(): number {
    return this.#members.size;
  }

  /** Nothing is held, and nothing is left in the index of what was. */
  get isEmpty(): boolean {
    return this.#members.size + this.#groups.size + this.#root.size + this.#clauses.size === 0 && this.#root.isBare;
  }

  /** Puts `value` under `id`, to be given back for every record that `ast` selects. */
  add(id: string, ast: SelectorAst, value: T): void {
    this.delete(id);
    const tree = withoutNot(ast);
    const text = printSelector(tree);
    let group = this.#groups.get(text);
    if (group === undefined) {
      group = new Group<T>(text, tree);
      this.#groups.set(text, group);
      this.#root.hang(group, partsOf(tree), this.#clauses);
    }
    this.#members.set(id, group.append(id, value));
  }

  /** Takes `id` out; tells whether it was there. */
  delete(id: string): boolean {
    const member = this.#members.get(id);
    if (member === undefined) return false;
    const { group } = member;
    this.#members.delete(id);
    group.remove(member);
    if (group.size > 0) return true;
    this.#groups.delete(group.text);
    Place.takeDown(group, this.#clauses);
    return true;
  }

  get(id: string): T | undefined {
    return this.#members.get(id)?.value;
  }

  /** The values of all selectors that select this record. */
  match(record: SelectorRecord): T[] {
    return valuesOf(this.#find(record));
  }

  /** The same by groups, none of whose members has been touched yet: for those who need only some of them, or their number. */
  matchGroups(record: SelectorRecord): readonly MatchedGroup<T>[] {
    return this.#find(record);
  }

  *values(): IterableIterator<T> {
    for (const { value } of this.#members.values()) yield value;
  }

  /** The same for one record, with a work limit: `left` has the groups that were not evaluated after more than `most` was spent
   *  on it (work.ts). With 0 it finds only matches that need no evaluation. */
  matchWithin(record: SelectorRecord, most: number): { matched: T[]; left: readonly Group<T>[] } {
    const { found, left } = this.#visit(record, work.spent + most);
    return { matched: valuesOf(found), left };
  }

  /** The same without a work limit, with other work between slices. A group that is removed meanwhile may be in the result; one
   *  that is added is not. */
  async matchInSlices(record: SelectorRecord, slices: Slices): Promise<T[]> {
    const { matched, left } = this.matchWithin(record, SLICE_WORK);
    if (left.length === 0) return matched;
    return [...matched, ...valuesOf(await slices.filter(left, (group) => group.selects(record)))];
  }

  #find(record: SelectorRecord): readonly Group<T>[] {
    return this.#visit(record, Number.POSITIVE_INFINITY).found;
  }

  #visit(record: SelectorRecord, stopAt: number): { found: readonly Group<T>[]; left: readonly Group<T>[] } {
    this.#now += 1;
    const visit: Visit<Group<T>> = { record, now: this.#now, found: [], places: [], stopAt, left: null };
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
