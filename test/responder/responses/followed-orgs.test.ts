import { expect, test } from 'vitest';
import { FollowedOrgs } from '../../../src/responder/responses/followed-orgs.ts';

const assigned = (next: number): FollowedOrgs => {
  const orgs = new FollowedOrgs();
  orgs.assign(new Map([[0, next]]));
  return orgs;
};

test('following an org ends the generation of the batch in progress, also if no earlier record is needed', () => {
  const orgs = assigned(10);
  const { positions } = orgs;
  const generation = positions.at(0)?.generation ?? 0;
  expect(orgs.follow('a', 0, 10, 10)).toBe(false);
  expect(positions.advance(0, generation, 20)).toBe(false);
  expect(positions.at(0)?.next).toBe(10);
  expect(orgs.follow('b', 0, null, 4)).toBe(true);
  expect(positions.at(0)?.next).toBe(4);
});

test('orgs whose stored offset is behind the position lag: the furthest behind first, up to a maximum', () => {
  const orgs = assigned(10);
  orgs.follow('a', 0, 8, 10);
  orgs.follow('b', 0, null, 10);
  orgs.follow('c', 0, 10, 10);
  expect(orgs.lagging(9).map(({ oid }) => oid)).toEqual(['b', 'a']);
  expect(orgs.lagging(1)).toEqual([{ oid: 'b', partition: 0, stored: null, next: 10 }]);
});

test('an org is not followed any more if Redis has another offset', () => {
  const orgs = assigned(10);
  orgs.follow('a', 0, 8, 10);
  orgs.compare('a', new Map([[0, 8]]));
  expect([orgs.stored('a', 0), orgs.isFollowed('a')]).toEqual([8, true]);
  orgs.compare('a', new Map());
  expect([orgs.stored('a', 0), orgs.isFollowed('a')]).toEqual([undefined, false]);
});

test('a new assignment of partitions follows no org', () => {
  const orgs = assigned(10);
  orgs.follow('a', 0, 8, 10);
  orgs.assign(new Map([[1, 3]]));
  expect([orgs.stored('a', 0), orgs.positions.keys]).toEqual([undefined, [1]]);
});
