/**
 * Reproducible random numbers: the same words give the same numbers in every process and on every machine, so that a run of a
 * simulated fleet can be repeated from its seed. Not for secrets.
 */
import { createHash } from 'node:crypto';

/** Returns numbers from 0 to 1, without 1. */
export type Random = () => number;

/** A generator (mulberry32) for these words. A separator keeps different word lists apart. */
export function randomOf(...words: (string | number)[]): Random {
  let state = createHash('sha256').update(JSON.stringify(words)).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `from` to `to`, both included. */
export const wholeNumber = (random: Random, from: number, to: number): number =>
  from + Math.floor(random() * (to - from + 1));

/** One of `choices`, which are not empty. */
export const oneOf = <T>(random: Random, choices: readonly T[]): T =>
  choices[Math.floor(random() * choices.length)] as T;
