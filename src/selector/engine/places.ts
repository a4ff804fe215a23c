/**
 * Where selectors hang, and how a record finds them. A place holds the selectors of one key, and a table from further keys to
 * places below it. A selector hangs at every key of one of its needs, the one that is rarest by what is guessed of the
 * field and by what hangs there already. Once a place is crowded, selectors with further needs go on to places below, so
 * that conjunctions of popular keys (a platform and a tag, two tags) are lookups too.
 *
 * Hanging up costs what the selector's keys are and taking down what its hooks are, whatever else hangs in the index.
 */
import type { SelectorRecord } from '../ast.ts';
import { work } from '../spent.ts';
import type { Clauses, Question } from './clauses.ts';
import { type Key, type Need, type Parts, weightOf } from './needs.ts';
import { type Asker, newAsker } from './probes.ts';
import { KeyTable } from './table.ts';

/** Selectors that a place keeps although they have further needs: so few are asked as fast as they are looked up. */
const CROWD = 4;

/** A selector at one place. */
class Hook<H extends Hung<H>> {
  readonly hung: H;
  /** What a record that comes by is asked; null: nothing, it is selected. */
  question: Question | null = null;
  next: Hook<H> | null = null;
  previous: Hook<H> | null = null;
  place: Place<H> | null = null;
  /** The next hook of the same selector. */
  sibling: Hook<H> | null = null;

  constructor(hung: H | null) {
    this.hung = hung ?? (this as unknown as H);
  }
}

/** What can hang in the index. It is its own first hook, so that finding it does not lead through another object. */
export abstract class Hung<H extends Hung<H>> extends Hook<H> {
  /** The record that found it last, if it hangs at several places. */
  foundAt = -1;

  constructor() {
    super(null);
  }
}

/** One record on its way through the index. */
export interface Visit<H extends Hung<H>> {
  readonly record: SelectorRecord;
  /** Each record has another number. */
  readonly now: number;
  readonly found: H[];
  /** Above this much work nothing more is evaluated (work.ts): the remaining groups go to `left`. */
  readonly stopAt: number;
  /** null: none. */
  left: Set<H> | null;
  /** Places whose keys it has, in the order in which they are to be seen. */
  readonly places: Place<H>[];
}

export class Place<H extends Hung<H>> {
  readonly text: string;
  readonly asker: Asker;
  #first: Hook<H> | null = null;
  #below: KeyTable<Place<H>> | null = null;
  #visitedAt = -1;
  #hooks = 0;
  readonly #above: Place<H> | null;
  /** Hooks here and below. */
  #size = 0;

  /** Without `above` it is the one that every record comes by. */
  constructor(above: Place<H> | null, asker: Asker, text: string) {
    this.text = text;
    this.asker = asker;
    this.#above = above;
  }

  get size(): number {
    return this.#size;
  }

  /** No places below. */
  get isBare(): boolean {
    return this.#below === null;
  }

  hang(hung: H, parts: Parts, clauses: Clauses): void {
    const crowded = this.#above === null || this.#hooks >= CROWD;
    const need = crowded ? this.#rarest(parts.needs) : undefined;
    if (need === undefined) {
      this.#hook(hung, parts.conjuncts.length === 0 ? null : clauses.question(parts.conjuncts, parts.whole));
      return;
    }
    const left = partsAfter(parts, need);
    for (const key of need.keys) this.#placeOf(key).hang(hung, left, clauses);
  }

  /** False: a field is of a type that lookups cannot judge, and what was found says nothing. */
  visit(visit: Visit<H>): boolean {
    if (this.#visitedAt === visit.now) return true;
    this.#visitedAt = visit.now;
    for (let hook = this.#first; hook !== null; hook = hook.next) {
      const { hung, question } = hook;
      if (question !== null) {
        if (work.spent >= visit.stopAt) {
          visit.left ??= new Set();
          visit.left.add(hung);
          continue;
        }
        if (question.ask(visit.record, visit.now) !== true) continue;
      }
      if (hung.sibling !== null) {
        if (hung.foundAt === visit.now) continue;
        hung.foundAt = visit.now;
      }
      visit.found.push(hung);
    }
    return this.#below === null || this.#below.find(visit.record, visit.places);
  }

  /** Takes down everything that `hung` hangs by. */
  static takeDown<H extends Hung<H>>(hung: H, clauses: Clauses): void {
    for (let hook: Hook<H> | null = hung; hook !== null; hook = hook.sibling) {
      if (hook.question !== null) clauses.release(hook.question);
      if (hook.place !== null) hook.place.#unhook(hook);
    }
  }

  #hook(hung: H, question: Question | null): void {
    let hook: Hook<H> = hung;
    if (hung.place !== null) {
      hook = new Hook<H>(hung);
      hook.sibling = hung.sibling;
      hung.sibling = hook;
    }
    hook.question = question;
    hook.place = this;
    hook.next = this.#first;
    if (this.#first !== null) this.#first.previous = hook;
    this.#first = hook;
    this.#hooks += 1;
    this.#count(1);
  }

  #unhook(hook: Hook<H>): void {
    const { next, previous } = hook;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next !== null) next.previous = previous;
    this.#hooks -= 1;
    this.#count(-1);
  }

  /** A hook came or went, here or below; the place goes with the last one. */
  #count(change: number): void {
    this.#size += change;
    if (this.#above === null) return;
    if (this.#size === 0) this.#above.#forget(this);
    this.#above.#count(change);
  }

  #forget(place: Place<H>): void {
    this.#below?.delete(place);
    if (this.#below?.size === 0) this.#below = null;
  }

  #rarest(needs: readonly Need[]): Need | undefined {
    if (needs.length < 2) return needs[0];
    const costs = needs.map((need) => need.keys.reduce((sum, key) => sum + this.#costOf(key), 0));
    return needs[costs.indexOf(Math.min(...costs))];
  }

  #costOf(key: Key): number {
    return weightOf(key) * (1 + (this.#below?.get(key)?.size ?? 0));
  }

  #placeOf(key: Key): Place<H> {
    this.#below ??= new KeyTable<Place<H>>();
    const known = this.#below.get(key);
    if (known !== undefined) return known;
    const place = new Place<H>(this, this.#below.askerOf(key), key.text);
    this.#below.add(place);
    return place;
  }
}

/** The place that every record comes by. */
export const newRoot = <H extends Hung<H>>(): Place<H> =>
  new Place<H>(null, newAsker({ kind: 'equal', field: 'oid' }), '');

/** Leads a record through the index, from the root on; false as `visit` says it. */
export function visitAll<H extends Hung<H>>(root: Place<H>, visit: Visit<H>): boolean {
  if (!root.visit(visit)) return false;
  for (let i = 0; i < visit.places.length; i += 1) if (visit.places[i]?.visit(visit) === false) return false;
  return true;
}
function partsAfter({ conjuncts, needs, whole }: Parts, used: Need): Parts {
  const settled = used.settles;
  return {
    conjuncts: settled === null ? conjuncts : conjuncts.filter((one) => one !== settled),
    needs: needs.filter((one) => one !== used),
    whole,
  };
}
