/**
 * A hash table from keys to values, optimized for many keys and for lookups that mostly find nothing: such a lookup reads one number. All
 * keys of a record are looked up together in steps, so that the memory latency occurs once per step and not once per key. Adding and
 * removing a key repeatedly leaves nothing behind.
 */

import type { Key } from '../operators/keys.ts';
import type { SelectorRecord } from '../predicate.ts';
import { type KeyReader, newKeyReader, RecordKeys } from './record-keys.ts';

export interface Keyed {
  readonly text: string;
  readonly keyReader: KeyReader;
}

const SMALLEST = 8;

/** Reused by all lookups. */
const recordKeys = new RecordKeys();
const slots: number[] = [];
/** For each hit, the position of its record key. */
const hitBy: number[] = [];

/** Linear probing, half full at most. */
export class KeyTable<V extends Keyed> {
  #hashes = new Int32Array(SMALLEST);
  #values: (V | undefined)[] = new Array(SMALLEST).fill(undefined);
  #mask = SMALLEST - 1;
  #size = 0;
  #readers: KeyReader[] = [];

  get size(): number {
    return this.#size;
  }

  get({ kind, field, text }: Key): V | undefined {
    const reader = this.#readers.find((one) => one.kind === kind && one.field === field);
    if (reader === undefined) return undefined;
    const hash = reader.hash(text);
    for (let i = hash & this.#mask; this.#hashes[i] !== 0; i = (i + 1) & this.#mask) {
      const value = this.#values[i] as V;
      if (this.#hashes[i] === hash && value.keyReader === reader && value.text === text) return value;
    }
    return undefined;
  }

  /** The reader for keys of this kind. The caller adds a value with it at once. */
  keyReaderOf(key: Key): KeyReader {
    let reader = this.#readers.find(({ kind, field }) => kind === key.kind && field === key.field);
    if (reader === undefined) {
      reader = newKeyReader(key);
      this.#readers = [...this.#readers, reader];
    }
    return reader;
  }

  /** Adds a value. The table has no value with this key. */
  add(value: V): void {
    if ((this.#size + 1) * 2 > this.#hashes.length) this.#resize(this.#hashes.length * 2);
    this.#put(value.keyReader.hash(value.text), value);
    this.#size += 1;
    value.keyReader.count(1, value.text);
  }

  delete(value: V): void {
    let hole = value.keyReader.hash(value.text) & this.#mask;
    while (this.#values[hole] !== value) hole = (hole + 1) & this.#mask;
    // Following values move into the hole, unless a lookup of them starts after it.
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
    value.keyReader.count(-1, value.text);
    if (value.keyReader.keys === 0) this.#readers = this.#readers.filter((one) => one !== value.keyReader);
  }

  /** Appends the values of the record's keys to `found`. False: a field has an unusual type, so the result is invalid. */
  find(record: SelectorRecord, found: V[]): boolean {
    recordKeys.count = 0;
    for (let i = 0; i < this.#readers.length; i += 1)
      if (this.#readers[i]?.readKeys(record, recordKeys) === false) return false;
    const hits = this.#hits(found);
    // Reads the texts that are compared below, so that all of them are in the cache by then.
    const first = found.length - hits;
    for (let i = 0; i < hits; i += 1) slots[i] = (found[first + i] as V).text.length;
    let kept = first;
    for (let i = 0; i < hits; i += 1) {
      const value = found[first + i] as V;
      const key = hitBy[i] as number;
      if (
        value.keyReader !== recordKeys.readers[key] ||
        !value.keyReader.matches(recordKeys.texts[key] as string, value.text)
      )
        continue;
      found[kept] = value;
      kept += 1;
    }
    found.length = kept;
    return true;
  }

  /** Appends the values with one of the hashes to `found`, and fills `hitBy`. */
  #hits(found: V[]): number {
    const { count, hashes } = recordKeys;
    for (let i = 0; i < count; i += 1) slots[i] = this.#hashes[(hashes[i] as number) & this.#mask] as number;
    let hits = 0;
    for (let key = 0; key < count; key += 1) {
      if (slots[key] === 0) continue;
      const hash = hashes[key] as number;
      for (let i = hash & this.#mask; this.#hashes[i] !== 0; i = (i + 1) & this.#mask) {
        if (this.#hashes[i] !== hash) continue;
        found.push(this.#values[i] as V);
        hitBy[hits] = key;
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
