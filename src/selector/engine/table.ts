/**
 * A hash table from keys to what is kept for them, made for many keys and for lookups that mostly find nothing: where nothing
 * is, a lookup reads one number. All that a record has is looked up in steps, each for all of its keys, so that memory
 * is waited for once a step and not once a key. A key that comes and goes again and again leaves nothing behind.
 */
import type { SelectorRecord } from '../ast.ts';
import type { Key } from './needs.ts';
import { type Asker, newAsker, Probes } from './probes.ts';

export interface Keyed {
  readonly text: string;
  readonly asker: Asker;
}

const SMALLEST = 8;

const probes = new Probes();
const slots: number[] = [];
/** Which probe led to what was found. */
const hitBy: number[] = [];

/** Linear probing, half full at most. */
export class KeyTable<V extends Keyed> {
  #hashes = new Int32Array(SMALLEST);
  #values: (V | undefined)[] = new Array(SMALLEST).fill(undefined);
  #mask = SMALLEST - 1;
  #size = 0;
  #askers: Asker[] = [];

  get size(): number {
    return this.#size;
  }

  get({ kind, field, text }: Key): V | undefined {
    const asker = this.#askers.find((one) => one.kind === kind && one.field === field);
    if (asker === undefined) return undefined;
    const hash = asker.hash(text);
    for (let i = hash & this.#mask; this.#hashes[i] !== 0; i = (i + 1) & this.#mask) {
      const value = this.#values[i] as V;
      if (this.#hashes[i] === hash && value.asker === asker && value.text === text) return value;
    }
    return undefined;
  }

  /** The asker for keys of this kind, to make a value with that will be added at once. */
  askerOf(key: Key): Asker {
    let asker = this.#askers.find(({ kind, field }) => kind === key.kind && field === key.field);
    if (asker === undefined) {
      asker = newAsker(key);
      this.#askers = [...this.#askers, asker];
    }
    return asker;
  }

  /** Adds a value whose key is not there yet. */
  add(value: V): void {
    if ((this.#size + 1) * 2 > this.#hashes.length) this.#resize(this.#hashes.length * 2);
    this.#put(value.asker.hash(value.text), value);
    this.#size += 1;
    value.asker.count(1, value.text);
  }

  delete(value: V): void {
    let hole = value.asker.hash(value.text) & this.#mask;
    while (this.#values[hole] !== value) hole = (hole + 1) & this.#mask;
    // What follows moves up, unless that would take it before the slot where it is looked for first.
    for (let i = (hole + 1) & this.#mask; this.#hashes[i] !== 0; i = (i + 1) & this.#mask) {
      const first = (this.#hashes[i] as number) & this.#mask;
      if (((i - first) & this.#mask) < ((i - hole) & this.#mask)) continue;
      this.#hashes[hole] = this.#hashes[i] as number;
      this.#values[hole] = this.#values[i];
      hole = i;
    }
    this.#hashes[hole] = 0;
    this.#values[hole] = undefined;
    this.#size -= 1;
    if (this.#size * 8 < this.#hashes.length && this.#hashes.length > SMALLEST) this.#resize(this.#hashes.length / 2);
    value.asker.count(-1, value.text);
    if (value.asker.keys === 0) this.#askers = this.#askers.filter((one) => one !== value.asker);
  }

  /** Puts what is kept for the record's keys at the end of `found`; false: a field is of an unusual type, it cannot tell. */
  find(record: SelectorRecord, found: V[]): boolean {
    probes.count = 0;
    for (let i = 0; i < this.#askers.length; i += 1) if (this.#askers[i]?.ask(record, probes) === false) return false;
    const hits = this.#hits(found);
    // Those that are read here are compared below: by then all of them have come from memory.
    const first = found.length - hits;
    for (let i = 0; i < hits; i += 1) slots[i] = (found[first + i] as V).text.length;
    let kept = first;
    for (let i = 0; i < hits; i += 1) {
      const value = found[first + i] as V;
      const probe = hitBy[i] as number;
      if (value.asker !== probes.askers[probe] || !value.asker.fits(probes.texts[probe] as string, value.text))
        continue;
      found[kept] = value;
      kept += 1;
    }
    found.length = kept;
    return true;
  }

  /** Puts what has one of the hashes at the end of `found`, and which one into `hitBy`. */
  #hits(found: V[]): number {
    const { count, hashes } = probes;
    for (let i = 0; i < count; i += 1) slots[i] = this.#hashes[(hashes[i] as number) & this.#mask] as number;
    let hits = 0;
    for (let probe = 0; probe < count; probe += 1) {
      if (slots[probe] === 0) continue;
      const hash = hashes[probe] as number;
      for (let i = hash & this.#mask; this.#hashes[i] !== 0; i = (i + 1) & this.#mask) {
        if (this.#hashes[i] !== hash) continue;
        found.push(this.#values[i] as V);
        hitBy[hits] = probe;
        hits += 1;
      }
    }
    return hits;
  }

  #put(hash: number, value: V): void {
    let i = hash & this.#mask;
    while (this.#hashes[i] !== 0) i = (i + 1) & this.#mask;
    this.#hashes[i] = hash;
    this.#values[i] = value;
  }

  #resize(capacity: number): void {
    const [hashes, values] = [this.#hashes, this.#values];
    this.#hashes = new Int32Array(capacity);
    this.#values = new Array(capacity).fill(undefined);
    this.#mask = capacity - 1;
    for (let i = 0; i < hashes.length; i += 1) if (hashes[i] !== 0) this.#put(hashes[i] as number, values[i] as V);
  }
}
