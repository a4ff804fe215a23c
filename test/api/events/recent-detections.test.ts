/** The newest detections of an org. */
import { expect, it } from 'vitest';
import { RecentDetections } from '../../../src/api/events/recent-detections.ts';
import type { Detection } from '../../../src/model/records.ts';

const NOW = 1_760_000_000_000;
const detection = (id: number, rest: Partial<Detection> = {}): Detection => ({
  detect_id: `d${id}`,
  oid: 'o',
  sid: 's',
  cat: 'c',
  source: 'dr-general',
  priority: null,
  occurred_at: NOW,
  body: `{"n":${id}}`,
  ...rest,
});
const ids = (recent: RecentDetections, ...where: [string?, number?, { cat?: string; sid?: string }?]) =>
  recent.list(where[0] ?? 'o', where[1] ?? 10, NOW, where[2]).map(({ detect_id }) => detect_id);

it('are listed newest first, each once, those of a week, of one org', () => {
  const recent = new RecentDetections();
  for (const one of [1, 2, 1, 3]) recent.add(detection(one));
  recent.add(detection(4, { occurred_at: NOW - 8 * 86_400_000 }));
  recent.add(detection(5, { oid: 'other' }));
  expect(ids(recent)).toEqual(['d3', 'd2', 'd1']);
  expect(ids(recent, 'o', 2)).toEqual(['d3', 'd2']);
  expect(recent.list('o', 1, NOW)[0]).toMatchObject({ body: { n: 3 }, cat: 'c' });
  expect(ids(recent, 'none')).toEqual([]);
});

it('can be narrowed to a report and a sensor', () => {
  const recent = new RecentDetections();
  recent.add(detection(1, { cat: 'x' }));
  recent.add(detection(2, { sid: 't' }));
  expect([ids(recent, 'o', 9, { cat: 'x' }), ids(recent, 'o', 9, { sid: 't' })]).toEqual([['d1'], ['d2']]);
});

it('are bounded in number and in bytes', () => {
  const many = new RecentDetections();
  for (let i = 0; i < 1_500; i += 1) many.add(detection(i));
  expect(ids(many, 'o', 5_000)).toHaveLength(1_000);
  const large = new RecentDetections();
  for (let i = 0; i < 20; i += 1) large.add(detection(i, { body: `"${'x'.repeat(1_000_000)}"` }));
  expect(ids(large, 'o', 100)).toHaveLength(8);
});

it('one whose event is nested too deep, from before the limit, is listed as text', () => {
  const recent = new RecentDetections();
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  recent.add(detection(1, { body: nested(5_000) }));
  recent.add(detection(2, { body: nested(70) }));
  const [two, one] = recent.list('o', 2, NOW);
  expect([typeof one?.body, Array.isArray(two?.body)]).toEqual(['string', true]);
  expect(JSON.stringify([one, two])).toContain('[[[');
});
