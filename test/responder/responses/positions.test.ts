import { expect, test } from 'vitest';
import { Positions } from '../../../src/responder/responses/positions.ts';

const positioned = (next: number): Positions => {
  const positions = new Positions();
  positions.assign(new Map([[0, next]]));
  return positions;
};

test('an org that is taken on ends the turn of the batch under way, also where nothing lies behind', () => {
  const positions = positioned(10);
  const generation = positions.at(0)?.generation ?? 0;
  expect(positions.take('a', 0, 10, 10)).toBe(false);
  expect(positions.advance(0, generation, 20)).toBe(false);
  expect(positions.at(0)?.next).toBe(10);
  expect(positions.take('b', 0, null, 4)).toBe(true);
  expect(positions.at(0)?.next).toBe(4);
});

test('who has less than was read lags, the furthest behind first, and no more than are asked for', () => {
  const positions = positioned(10);
  positions.take('a', 0, 8, 10);
  positions.take('b', 0, null, 10);
  positions.take('c', 0, 10, 10);
  expect(positions.lagging(9).map(({ oid }) => oid)).toEqual(['b', 'a']);
  expect(positions.lagging(1)).toEqual([{ oid: 'b', partition: 0, stored: null, next: 10 }]);
});

test('an org is followed no more where Redis has another position', () => {
  const positions = positioned(10);
  positions.take('a', 0, 8, 10);
  positions.compare('a', new Map([[0, 8]]));
  expect(positions.stored('a', 0)).toBe(8);
  positions.compare('a', new Map());
  expect(positions.stored('a', 0)).toBeUndefined();
});

test('a new share forgets what was followed', () => {
  const positions = positioned(10);
  positions.take('a', 0, 8, 10);
  positions.assign(new Map([[1, 3]]));
  expect([positions.stored('a', 0), positions.partitions]).toEqual([undefined, [1]]);
});
