/**
 * From a path to the value it leads to, and the names that any/all bind. Two ways of finding nothing, which differ: a
 * missing key of a map below the top is ABSENT (each operator has an answer to it), everything else is BROKEN, an error: a
 * missing field of the sensor, a list index out of range, a part of something that has no parts.
 */
import type { CollectionNode, SelectorRecord } from './ast.ts';
import { isSensorField, SENSOR_FIELDS } from './fields.ts';
import { RANGE, readInteger } from './values.ts';

export const ABSENT = Symbol('absent');
export const BROKEN = Symbol('broken');

/** What the loops of one predicate hold right now, how many items they have looked at, and how many clauses asked of them. */
export interface Slots {
  readonly values: unknown[];
  visits: number;
  asked: number;
}

/** Innermost name last. `slot` is -1 for a name that can only be an error (see bindNames). */
export type Scope = readonly { readonly name: string; readonly slot: number }[];

interface Step {
  readonly key: string;
  /** The key as an index of a list, -1 if it cannot be one. */
  readonly index: number;
}

/** A function that finds the path's value in a record, or in the slot of a bound name. */
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

/** A list index is read as Go reads a whole number: 1, 01, 0x1; the empty text is 0. */
function listIndex(key: string): number {
  const index = readInteger(key === '' ? '0' : key);
  return index === null || index === RANGE || index < 0n || index > 0xffffffffn ? -1 : Number(index);
}

export interface BoundNames {
  readonly scope: Scope;
  /** Slots for the index or key, the item, and the one name that means either; -1 where there is none. */
  readonly index: number;
  readonly item: number;
  readonly byDefault: number;
  /** Index and item under the same name: an error for every item. */
  readonly clash: boolean;
}

/**
 * Gives the names of an any/all their slots. An odd case kept from go-bexpr: where the index is called like the first
 * part of the collection's own path (`any tags as tags, v`), the item cannot be reached and is an error.
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
