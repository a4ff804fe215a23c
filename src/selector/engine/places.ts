/**
 * Where selectors hang, and how a record finds them. A place holds the selectors of one key, and tables from further keys to
 * places below it. A selector hangs at every key of one of its needs, the one that is rarest by what is guessed of the
 * field and by what hangs there already. Once a place is crowded, selectors with further needs go on to places below, so
 * that conjunctions of popular keys (a platform and a tag, two tags) are lookups too.
 *
 * Hanging up costs what the selector's keys are and taking down what its hooks are, whatever else hangs in the index.
 */
import type { Clauses, Question } from './clauses.ts';
import { type Key, type Need, type Parts, weightOf } from './needs.ts';
import { newTable, type Search, type Table } from './tables.ts';

/** Selectors that a place keeps although they have further needs: so few are asked as fast as they are looked up. */
const CROWD = 4;

/** What can hang in the index. */
export interface Hung<H extends Hung<H>> {
  /** The latest of its hooks, from which `sibling` leads to the others. */
  hook: Hook<H> | null;
  /** Which record found it last. */
  foundAt: number;
}

/** A selector at one place. */
export interface Hook<H extends Hung<H>> {
  readonly hung: H;
  readonly place: Place<H>;
  /** What a record that comes by is asked; null: nothing, it is selected. */
  readonly question: Question | null;
  readonly sibling: Hook<H> | null;
  next: Hook<H> | null;
  previous: Hook<H> | null;
}

/** One record on its way through the index. */
export interface Visit<H> extends Search {
  /** Each record has another number. */
  now: number;
  readonly found: H[];
}

type PlaceTable<H extends Hung<H>> = Table<Place<H>, Visit<H>>;

export class Place<H extends Hung<H>> {
  readonly #above: Place<H> | null;
  readonly #table: PlaceTable<H> | null;
  readonly #text: string;
  #below: PlaceTable<H>[] | null = null;
  #first: Hook<H> | null = null;
  #hooks = 0;
  /** Hooks here and below. */
  #size = 0;

  /** Without `table` it is the one that every record comes by. */
  constructor(above: Place<H> | null = null, table: PlaceTable<H> | null = null, text = '') {
    this.#above = above;
    this.#table = table;
    this.#text = text;
  }

  get size(): number {
    return this.#size;
  }

  /** No tables below. */
  get isBare(): boolean {
    return this.#below === null;
  }

  hang(hung: H, parts: Parts, clauses: Clauses): void {
    const crowded = this.#table === null || this.#hooks >= CROWD;
    const need = crowded ? this.#rarest(parts.needs) : undefined;
    if (need === undefined) {
      this.#hook(hung, parts.conjuncts.length === 0 ? null : clauses.question(parts.conjuncts));
      return;
    }
    const left = partsAfter(parts, need);
    for (const key of need.keys) this.#placeOf(key).hang(hung, left, clauses);
  }

  visit(visit: Visit<H>): void {
    for (let hook = this.#first; hook !== null; hook = hook.next) {
      const { hung, question } = hook;
      if (question !== null && question.ask(visit.record) !== true) continue;
      if (hung.foundAt === visit.now) continue;
      hung.foundAt = visit.now;
      visit.found.push(hung);
    }
    const below = this.#below;
    if (below === null) return;
    for (let i = 0; i < below.length; i += 1) below[i]?.visit(visit);
  }

  /** Takes down everything that `hung` hangs by. */
  static takeDown<H extends Hung<H>>(hung: H, clauses: Clauses): void {
    for (let hook = hung.hook; hook !== null; hook = hook.sibling) {
      if (hook.question !== null) clauses.release(hook.question);
      hook.place.#unhook(hook);
    }
    hung.hook = null;
  }

  #hook(hung: H, question: Question | null): void {
    const hook: Hook<H> = { hung, place: this, question, sibling: hung.hook, next: this.#first, previous: null };
    if (this.#first !== null) this.#first.previous = hook;
    this.#first = hook;
    this.#hooks += 1;
    hung.hook = hook;
    this.#count(1);
  }

  #unhook({ next, previous }: Hook<H>): void {
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next !== null) next.previous = previous;
    this.#hooks -= 1;
    this.#count(-1);
  }

  /** A hook came or went, here or below; the place goes with the last one. */
  #count(change: number): void {
    this.#size += change;
    if (this.#above === null || this.#table === null) return;
    if (this.#size === 0) this.#above.#forget(this.#table, this.#text);
    this.#above.#count(change);
  }

  #forget(table: PlaceTable<H>, text: string): void {
    table.delete(text);
    if (table.size > 0 || this.#below === null) return;
    this.#below = this.#below.filter((one) => one !== table);
    if (this.#below.length === 0) this.#below = null;
  }

  #rarest(needs: readonly Need[]): Need | undefined {
    if (needs.length < 2) return needs[0];
    const costs = needs.map((need) => need.keys.reduce((sum, key) => sum + this.#costOf(key), 0));
    return needs[costs.indexOf(Math.min(...costs))];
  }

  #costOf(key: Key): number {
    return weightOf(key) * (1 + (this.#tableOf(key)?.get(key.text)?.size ?? 0));
  }

  #tableOf({ kind, field }: Key): PlaceTable<H> | undefined {
    return this.#below?.find((table) => table.kind === kind && table.field === field);
  }

  #placeOf(key: Key): Place<H> {
    let table = this.#tableOf(key);
    if (table === undefined) {
      table = newTable<Place<H>, Visit<H>>(key);
      this.#below = [...(this.#below ?? []), table];
    }
    let place = table.get(key.text);
    if (place === undefined) {
      place = new Place<H>(this, table, key.text);
      table.set(key.text, place);
    }
    return place;
  }
}

function partsAfter({ conjuncts, needs }: Parts, used: Need): Parts {
  const settled = used.settles;
  return {
    conjuncts: settled === null ? conjuncts : conjuncts.filter((one) => one !== settled),
    needs: needs.filter((one) => one !== used),
  };
}
