/**
 * The keys of one record as hashes, for lookups in a key table. There is one reader for each kind of key and field in use. It reads the
 * field and adds a hash for each key that the value has. It returns false if the field does not have its usual type (a number in
 * `hostname`, a text in `tags`, which no sensor has), because keys do not apply to such values.
 */
import type { Key, KeyField, KeyKind } from '../operators/keys.ts';
import type { SelectorRecord } from '../predicate.ts';
import { SENSOR_FIELDS } from '../sensor/fields.ts';

/** Different in each process, so that nobody can construct texts that collide. */
const SEED = Math.trunc(Math.random() * 2 ** 32);

/** FNV-1a over UTF-16 codes: the hash of a text continues the hash of its prefix. */
const next = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01000193);

/** Distributes the bits. Never 0, which marks an empty slot. */
const spread = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13) || 1;
};

/** Hashes to look up, each with its text and reader. Reused for each record. */
export class RecordKeys {
  readonly hashes: number[] = [];
  readonly texts: string[] = [];
  readonly readers: KeyReader[] = [];
  count = 0;

  add(hash: number, text: string, reader: KeyReader): void {
    const at = this.count;
    this.hashes[at] = hash;
    this.texts[at] = text;
    this.readers[at] = reader;
    this.count = at + 1;
  }
}

export abstract class KeyReader {
  readonly kind: KeyKind;
  readonly field: KeyField;
  /** Keys in use. */
  keys = 0;
  protected readonly read: (record: SelectorRecord) => unknown;
  readonly #seed: number;

  constructor({ kind, field }: Omit<Key, 'text'>) {
    this.kind = kind;
    this.field = field;
    this.read = SENSOR_FIELDS[field].read;
    this.#seed = [...`${kind} ${field} `].reduce((hash, char) => next(hash, char.charCodeAt(0)), SEED);
  }

  hash(text: string): number {
    return spread(this.state(text, 0, text.length, this.#seed));
  }

  /** Adds the keys of the record. False: the field has an unusual type. */
  abstract readKeys(record: SelectorRecord, keys: RecordKeys): boolean;

  /** Whether a text with the same hash as `key` really has this key. */
  matches(text: string, key: string): boolean {
    return text === key;
  }

  count(change: number, _text: string): void {
    this.keys += change;
  }

  protected get start(): number {
    return this.#seed;
  }

  /** The hash state after the characters from `from` to `to`. */
  protected state(text: string, from: number, to: number, before: number): number {
    let hash = before;
    for (let i = from; i < to; i += 1) hash = next(hash, text.charCodeAt(i));
    return hash;
  }
}

class EqualReader extends KeyReader {
  override readKeys(record: SelectorRecord, keys: RecordKeys): boolean {
    const value = this.read(record);
    if (typeof value === 'string') keys.add(this.hash(value), value, this);
    // `==` reads its text as a number or a boolean for these types. Any other type is an error, which selects nothing.
    return typeof value !== 'number' && typeof value !== 'boolean';
  }
}

class ItemReader extends KeyReader {
  override readKeys(record: SelectorRecord, keys: RecordKeys): boolean {
    const items = this.read(record);
    if (items === undefined || items === null) return true;
    if (!Array.isArray(items)) return false;
    for (let i = 0; i < items.length; i += 1) {
      const item: unknown = items[i];
      if (typeof item !== 'string') return false;
      keys.add(this.hash(item), item, this);
    }
    return true;
  }
}

/** Adds the prefix of a text for each length that a key has. */
class StartReader extends KeyReader {
  readonly #counts = new Map<number, number>();
  #lengths: number[] = [];

  override readKeys(record: SelectorRecord, keys: RecordKeys): boolean {
    const value = this.read(record);
    // A regular expression matches only texts. Other types are errors.
    if (typeof value !== 'string') return true;
    let hash = this.start;
    let hashed = 0;
    for (let i = 0; i < this.#lengths.length; i += 1) {
      const length = this.#lengths[i] as number;
      if (length > value.length) return true;
      hash = this.state(value, hashed, length, hash);
      hashed = length;
      keys.add(spread(hash), value, this);
    }
    return true;
  }

  override matches(text: string, key: string): boolean {
    return text.startsWith(key);
  }

  override count(change: number, text: string): void {
    super.count(change, text);
    const known = this.#counts.get(text.length) ?? 0;
    if (known + change === 0) this.#counts.delete(text.length);
    else this.#counts.set(text.length, known + change);
    if (known === 0 || known + change === 0) this.#lengths = [...this.#counts.keys()].sort((a, b) => a - b);
  }
}

const READERS: Readonly<Record<KeyKind, new (key: Omit<Key, 'text'>) => KeyReader>> = {
  equal: EqualReader,
  start: StartReader,
  item: ItemReader,
};

export const newKeyReader = (key: Omit<Key, 'text'>): KeyReader => new READERS[key.kind](key);
