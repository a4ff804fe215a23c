import { describe, expect, it } from 'vitest';
import { Positions } from '../src/positions.ts';

const positionsAt = (next: number): Positions<string> => {
  const positions = new Positions<string>();
  positions.start('p', next);
  return positions;
};
const generationOf = (positions: Positions<string>): number => positions.at('p')?.generation as number;

describe('a position', () => {
  it('advances with batches of its own generation only', () => {
    const positions = positionsAt(5);
    const generation = generationOf(positions);
    expect(positions.advance('p', generation, 9)).toBe(true);
    expect(positions.at('p')?.next).toBe(9);
    positions.back('p', 3);
    expect(positions.isCurrent('p', generation)).toBe(false);
    expect(positions.advance('p', generation, 20)).toBe(false);
    expect(positions.at('p')?.next).toBe(3);
  });

  it('never moves forward by moving back, but gets a new generation', () => {
    const positions = positionsAt(5);
    const generation = generationOf(positions);
    expect(positions.back('p', 8)).toBe(false);
    expect(positions.at('p')?.next).toBe(5);
    expect(positions.advance('p', generation, 9)).toBe(false);
    expect(positions.back('p', 4)).toBe(true);
  });

  it('is unknown before the partition is assigned, and after it is taken away', () => {
    const positions = positionsAt(5);
    expect(positions.back('q', 0)).toBe(false);
    expect(positions.advance('q', 1, 3)).toBe(false);
    expect(positions.keys).toEqual(['p']);
    const generation = generationOf(positions);
    positions.clear();
    expect(positions.keys).toEqual([]);
    positions.start('p', 0);
    expect(positions.advance('p', generation, 9)).toBe(false);
  });
});
