import { expect, test } from 'vitest';
import { Places } from '../../src/responses/places.ts';

const placed = (next: number): Places => {
  const places = new Places();
  places.assign(new Map([[0, next]]));
  return places;
};

test('an org that is taken on ends the turn of the batch under way, also where nothing lies behind', () => {
  const places = placed(10);
  const turn = places.at(0)?.turn ?? 0;
  expect(places.take('a', 0, 10, 10)).toBe(false);
  expect(places.advance(0, turn, 20)).toBe(false);
  expect(places.at(0)?.next).toBe(10);
  expect(places.take('b', 0, null, 4)).toBe(true);
  expect(places.at(0)?.next).toBe(4);
});

test('who has less than was read lags, the furthest behind first, and no more than are asked for', () => {
  const places = placed(10);
  places.take('a', 0, 8, 10);
  places.take('b', 0, null, 10);
  places.take('c', 0, 10, 10);
  expect(places.lagging(9).map(({ oid }) => oid)).toEqual(['b', 'a']);
  expect(places.lagging(1)).toEqual([{ oid: 'b', partition: 0, stored: null, next: 10 }]);
});

test('an org is followed no more where Redis has another position', () => {
  const places = placed(10);
  places.take('a', 0, 8, 10);
  places.compare('a', new Map([[0, 8]]));
  expect(places.stored('a', 0)).toBe(8);
  places.compare('a', new Map());
  expect(places.stored('a', 0)).toBeUndefined();
});

test('a new share forgets what was followed', () => {
  const places = placed(10);
  places.take('a', 0, 8, 10);
  places.assign(new Map([[1, 3]]));
  expect([places.stored('a', 0), places.partitions]).toEqual([undefined, [1]]);
});
