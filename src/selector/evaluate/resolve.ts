/**
 * Resolves a path to its value, and binds the names of any/all. There are two kinds of missing values: a missing key of a nested map is
 * ABSENT, for which each operator has a verdict. Everything else is BROKEN, an error: a missing field of the sensor, a list index out of
 * range, a part of a value without parts.
 */
import type { CollectionNode } from '../ast.ts';
import { RANGE, readInteger } from '../operators/read-value.ts';
import type { SelectorRecord } from '../predicate.ts';
import { isSensorField, SENSOR_FIELDS } from '../sensor/fields.ts';

export const ABSENT = Symbol('absent');
export const BROKEN = Symbol('broken');

/** The current items of the loops of one predicate, the number of items visited, and the number of clauses evaluated on them. */
export interface Slots {
  readonly values: unknown[];
  visits: number;
  clauses: number;
}

/** Innermost name last. `slot` is -1 for a name that is always an error (see bindNames). */
export type Scope = readonly { readonly name: string; readonly slot: number }[];

interface Step {
  readonly key: string;
  /** The key as an index of a list, -1 if it cannot be one. */
  readonly index: number;
}

/** Returns a function that reads the path in a record, or in the slot of a bound name. */
export function reader(path: readonly string[], scope: Scope, slots: Slots): (record: SelectorRecord) => unknown {
  const [first = '', ...rest] = path;
  const steps = rest.map((key): Step => ({ key, index: listIndex(key) }));
  const bound = scope.findLast((binding) => binding.name === first);
  if (bound === undefined) {
    const top = topReader(first);
    return steps.length === 0 ? top : (record) => follow(top(record), steps);
  }
  const { slot } = bound;
  if (slot === -1) return () => BROKEN;
  return () => follow(slots.values[slot], steps);
}

function topReader(name: string): (record: SelectorRecord) => unknown {
  if (isSensorField(name)) {
    const { read } = SENSOR_FIELDS[name];
    return (record) => {
      const value = read(record);
      return value === undefined ? BROKEN : value;
    };
  }
  return (record) => {
    const value = Object.hasOwn(record, name) ? record[name] : undefined;
    return value === undefined ? BROKEN : value;
  };
}

function follow(start: unknown, steps: readonly Step[]): unknown {
  let value = start;
  for (let i = 0; i < steps.length; i += 1) {
    const step = steps[i];
    if (step === undefined || typeof value !== 'object' || value === null) return BROKEN;
    if (Array.isArray(value)) {
      if (step.index < 0 || step.index >= value.length) return BROKEN;
      value = value[step.index];
    } else {
      const next: unknown = Object.hasOwn(value, step.key) ? (value as SelectorRecord)[step.key] : undefined;
      if (next === undefined) return i === steps.length - 1 ? ABSENT : BROKEN;
      value = next;
    }
  }
  return value;
}

/** A list index has Go's syntax of whole numbers: 1, 01, 0x1. The empty text is 0. */
function listIndex(key: string): number {
  const index = readInteger(key === '' ? '0' : key);
  return index === null || index === RANGE || index < 0n || index > 0xffffffffn ? -1 : Number(index);
}

export interface BoundNames {
  readonly scope: Scope;
  /** Slots of the index or key, of the item, and of the name that means either. -1 if there is none. */
  readonly index: number;
  readonly item: number;
  readonly byDefault: number;
  /** Index and item have the same name: an error for every item. */
  readonly clash: boolean;
}

/**
 * Assigns slots to the names of an any/all. As in go-bexpr, if the index has the name of the first part of the collection's own path
 * (`any tags as tags, v`), the item is not reachable and is an error.
 */
export function bindNames(node: CollectionNode, outer: Scope, slots: Slots): BoundNames {
  const { binding, path } = node;
  const scope = [...outer];
  const open = (name: string | undefined, reachable = true): number => {
    if (name === undefined) return -1;
    const slot = reachable ? slots.values.push(undefined) - 1 : -1;
    scope.push({ name, slot });
    return slot;
  };
  const byDefault = open(binding.default);
  const index = open(binding.index);
  const item = open(binding.item, binding.index !== path[0]);
  const clash = binding.index !== undefined && binding.index === binding.item;
  return { scope, index, item, byDefault, clash };
}
