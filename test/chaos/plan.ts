/**
 * Which fault comes when: from the seed alone. Each kind comes at least once, in an order by chance, evenly over the time, and
 * then again, one every few seconds. Pure.
 */
import { Random } from '../sim/random.ts';

export type Planned<Name extends string> = { atMs: number; fault: Name };

/** Between two faults in a longer run. */
const EVERY_MS = 4_000;
/** The end of the time is left free, so that each fault falls into it whole. */
const LAST_PART = 0.85;

export function planOf<Name extends string>(seed: number, ms: number, names: readonly Name[]): Planned<Name>[] {
  const random = new Random(seed);
  const spanMs = ms * LAST_PART;
  const number = Math.max(names.length, Math.floor(spanMs / EVERY_MS));
  const order: Name[] = [];
  while (order.length < number) order.push(...shuffled(random, names));
  return order.slice(0, number).map((fault, i) => ({
    fault,
    atMs: Math.round(((i + random.between(0, 0.8)) * spanMs) / number),
  }));
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const left = [...values];
  const taken: T[] = [];
  while (left.length > 0) taken.push(...left.splice(Math.floor(random.between(0, left.length)), 1));
  return taken;
}
