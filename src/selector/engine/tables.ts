/**
 * Hash tables from the texts of keys to what hangs there, one for each field and kind of key. A table asks one record for
 * the keys it has. Where a field is not of its usual type (a number in `hostname`, a text in `tags`: no sensor has that)
 * other rules than those of texts apply, and a lookup cannot tell: the search is then marked as unusual.
 */
import type { SelectorRecord } from '../ast.ts';
import { SENSOR_FIELDS } from '../fields.ts';
import type { Key, KeyField, KeyKind } from './needs.ts';

export interface Search {
  record: SelectorRecord;
  unusual: boolean;
}

export interface Visited<S extends Search> {
  visit(search: S): void;
}

export abstract class Table<P extends Visited<S>, S extends Search> {
  readonly field: KeyField;
  readonly kind: KeyKind;
  protected readonly places = new Map<string, P>();
  protected readonly read: (record: SelectorRecord) => unknown;

  constructor({ field, kind }: Omit<Key, 'text'>) {
    this.field = field;
    this.kind = kind;
    this.read = SENSOR_FIELDS[field].read;
  }

  get size(): number {
    return this.places.size;
  }

  get(text: string): P | undefined {
    return this.places.get(text);
  }

  set(text: string, place: P): void {
    this.places.set(text, place);
  }

  delete(text: string): void {
    this.places.delete(text);
  }

  /** Visits the places of the keys that the record has. */
  abstract visit(search: S): void;
}

class EqualTable<P extends Visited<S>, S extends Search> extends Table<P, S> {
  override visit(search: S): void {
    const value = this.read(search.record);
    if (typeof value === 'string') this.places.get(value)?.visit(search);
    // Of other types `==` reads the text as a number or a boolean; or it is an error, which selects nothing.
    else if (typeof value === 'number' || typeof value === 'boolean') search.unusual = true;
  }
}

class ItemTable<P extends Visited<S>, S extends Search> extends Table<P, S> {
  override visit(search: S): void {
    const items = this.read(search.record);
    if (items === undefined || items === null) return;
    if (!Array.isArray(items)) {
      search.unusual = true;
      return;
    }
    for (let i = 0; i < items.length; i += 1) {
      const item: unknown = items[i];
      if (typeof item === 'string') this.places.get(item)?.visit(search);
      else search.unusual = true;
    }
  }
}

/** Looks a text's beginnings up, once for each length that a key has. */
class StartTable<P extends Visited<S>, S extends Search> extends Table<P, S> {
  readonly #counts = new Map<number, number>();
  #lengths: number[] = [];

  override set(text: string, place: P): void {
    super.set(text, place);
    this.#count(text.length, 1);
  }

  override delete(text: string): void {
    super.delete(text);
    this.#count(text.length, -1);
  }

  override visit(search: S): void {
    const value = this.read(search.record);
    // An expression matches texts alone; of other types it is an error.
    if (typeof value !== 'string') return;
    for (let i = 0; i < this.#lengths.length; i += 1) {
      const length = this.#lengths[i] ?? 0;
      if (length > value.length) return;
      this.places.get(value.slice(0, length))?.visit(search);
    }
  }

  #count(length: number, change: number): void {
    const known = this.#counts.get(length) ?? 0;
    if (known + change === 0) this.#counts.delete(length);
    else this.#counts.set(length, known + change);
    if (known === 0 || known + change === 0) this.#lengths = [...this.#counts.keys()].sort((a, b) => a - b);
  }
}

const TABLES = { equal: EqualTable, start: StartTable, item: ItemTable } as const;

export const newTable = <P extends Visited<S>, S extends Search>(key: Omit<Key, 'text'>): Table<P, S> =>
  new TABLES[key.kind]<P, S>(key);
