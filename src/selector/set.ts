/**
 * Many selectors against one record. Selectors that are `sid == "X"` are found by a lookup; all others are grouped by
 * their printed text, and each distinct one is compiled once and evaluated once per record, however many hold it.
 *
 * Ids are unique: adding an id again replaces what it stood for. A selector that answers 'error' does not match. The order
 * of `match` is that of insertion within a group, and unspecified between groups. Callers see ids, trees and values
 * alone, so that the inside can become an index over the clauses without their noticing.
 */
import type { SelectorAst, SelectorRecord } from './ast.ts';
import { compileSelector, type Predicate } from './compile.ts';
import { printSelector } from './print.ts';
import { sidOf } from './targets.ts';

interface Group<T> {
  readonly predicate: Predicate;
  readonly members: Map<string, T>;
}

type Place<T> = { readonly bySid: string } | { readonly text: string; readonly group: Group<T> };

export class SelectorSet<T> {
  readonly #places = new Map<string, Place<T>>();
  readonly #bySid = new Map<string, Map<string, T>>();
  readonly #groups = new Map<string, Group<T>>();

  /** How many ids the set holds. */
  get size(): number {
    return this.#places.size;
  }

  /** Puts `value` under `id`, to be given back for every record that `ast` selects. */
  add(id: string, ast: SelectorAst, value: T): void {
    this.delete(id);
    const sid = sidOf(ast);
    const place = sid === undefined ? this.#join(ast) : { bySid: sid };
    this.#places.set(id, place);
    this.#membersAt(place).set(id, value);
  }

  /** Takes `id` out; tells whether it was there. */
  delete(id: string): boolean {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    this.#places.delete(id);
    const members = this.#membersAt(place);
    members.delete(id);
    if (members.size > 0) return true;
    if ('bySid' in place) this.#bySid.delete(place.bySid);
    else this.#groups.delete(place.text);
    return true;
  }

  get(id: string): T | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.#membersAt(place).get(id);
  }

  /** The values of all selectors that select this record. */
  match(record: SelectorRecord): T[] {
    const matched: T[] = [];
    const { sid } = record;
    const direct = typeof sid === 'string' ? this.#bySid.get(sid) : undefined;
    if (direct !== undefined) for (const value of direct.values()) matched.push(value);
    for (const group of this.#groups.values()) {
      if (group.predicate(record) !== true) continue;
      for (const value of group.members.values()) matched.push(value);
    }
    return matched;
  }

  *values(): IterableIterator<T> {
    for (const members of this.#bySid.values()) yield* members.values();
    for (const group of this.#groups.values()) yield* group.members.values();
  }

  #join(ast: SelectorAst): Place<T> {
    const text = printSelector(ast);
    let group = this.#groups.get(text);
    if (group === undefined) {
      group = { predicate: compileSelector(ast), members: new Map() };
      this.#groups.set(text, group);
    }
    return { text, group };
  }

  #membersAt(place: Place<T>): Map<string, T> {
    if (!('bySid' in place)) return place.group.members;
    let members = this.#bySid.get(place.bySid);
    if (members === undefined) {
      members = new Map();
      this.#bySid.set(place.bySid, members);
    }
    return members;
  }
}
