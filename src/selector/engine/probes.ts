/**
 * The keys that one record has, as hashes: what a table looks up. There is one asker for each kind of key and field in use; it
 * reads the field and notes a hash for each key that the value has. Where a field is not of its usual type (a number
 * in `hostname`, a text in `tags`: no sensor has that) other rules than those of texts apply, and it says so.
 */
import type { SelectorRecord } from '../ast.ts';
import { SENSOR_FIELDS } from '../fields.ts';
import type { Key, KeyField, KeyKind } from './needs.ts';

/** In each process another, so that nobody can choose texts that collide. */
const SEED = Math.trunc(Math.random() * 2 ** 32);

/** FNV-1a over UTF-16 codes: the hash of a text goes on from that of its beginning. */
const next = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01000193);

/** Spreads the bits; never 0, which stands for an empty slot. */
const spread = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13) || 1;
};

/** Hashes to be looked up, with the text and the asker that they come from. Used again for each record. */
export class Probes {
  readonly hashes: number[] = [];
  readonly texts: string[] = [];
  readonly askers: Asker[] = [];
  count = 0;

  note(hash: number, text: string, asker: Asker): void {
    const at = this.count;
    this.hashes[at] = hash;
    this.texts[at] = text;
    this.askers[at] = asker;
    this.count = at + 1;
  }
}

export abstract class Asker {
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

  /** Notes the keys that the record has; false: the field is of an unusual type. */
  abstract ask(record: SelectorRecord, probes: Probes): boolean;

  /** Whether a text that was noted under the same hash as `key` really has it. */
  fits(text: string, key: string): boolean {
    return text === key;
  }

  count(change: number, _text: string): void {
    this.keys += change;
  }

  protected get start(): number {
    return this.#seed;
  }

  /** The hash state after more characters, to go on from. */
  protected state(text: string, from: number, to: number, before: number): number {
    let hash = before;
    for (let i = from; i < to; i += 1) hash = next(hash, text.charCodeAt(i));
    return hash;
  }
}

class EqualAsker extends Asker {
  override ask(record: SelectorRecord, probes: Probes): boolean {
    const value = this.read(record);
    if (typeof value === 'string') probes.note(this.hash(value), value, this);
    // Of other types `==` reads the text as a number or a boolean; or it is an error, which selects nothing.
    return typeof value !== 'number' && typeof value !== 'boolean';
  }
}

class ItemAsker extends Asker {
  override ask(record: SelectorRecord, probes: Probes): boolean {
    const items = this.read(record);
    if (items === undefined || items === null) return true;
    if (!Array.isArray(items)) return false;
    for (let i = 0; i < items.length; i += 1) {
      const item: unknown = items[i];
      if (typeof item !== 'string') return false;
      probes.note(this.hash(item), item, this);
    }
    return true;
  }
}

/** Notes a text's beginning once for each length that a key has. */
class StartAsker extends Asker {
  readonly #counts = new Map<number, number>();
  #lengths: number[] = [];

  override ask(record: SelectorRecord, probes: Probes): boolean {
    const value = this.read(record);
    // An expression matches texts alone; of other types it is an error.
    if (typeof value !== 'string') return true;
    let hash = this.start;
    let hashed = 0;
    for (let i = 0; i < this.#lengths.length; i += 1) {
      const length = this.#lengths[i] as number;
      if (length > value.length) return true;
      hash = this.state(value, hashed, length, hash);
      hashed = length;
      probes.note(spread(hash), value, this);
    }
    return true;
  }

  override fits(text: string, key: string): boolean {
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

const ASKERS = { equal: EqualAsker, start: StartAsker, item: ItemAsker } as const;

export const newAsker = (key: Omit<Key, 'text'>): Asker => new ASKERS[key.kind](key);
