/**
 * How many tags a sensor takes from API and rules, and how many it remembers as taken away. All that is known of a sensor has to
 * fit one record, or its partition would wait for ever; so what comes beyond that is passed over, and told. Pure.
 */
import type { SensorPresence } from './records.ts';
import type { SensorView } from './sensor.ts';

export const TAGS_MAX = 1_000;

type Tags = { size: number; has(tag: string): boolean };
type Change = Partial<Pick<SensorPresence, 'add_tags' | 'remove_tags'>>;

export const isFull = (tags: Tags, tag: string): boolean => tags.size >= TAGS_MAX && !tags.has(tag);

/** The tags of a change that the sensor would pass over. Tags that have run out by `nowMs` make room; one that was set is taken
 *  away though it can't be remembered, unless the sensor reports it itself. */
export function tagsWithoutRoom(
  sensor: SensorView,
  { add_tags = [], remove_tags = [] }: Change,
  nowMs: number,
): string[] {
  const set = [...sensor.platformTags].filter(([, expiresAtMs]) => expiresAtMs === null || expiresAtMs > nowMs);
  const added = add_tags.map(({ tag }) => tag);
  const reported = new Set(sensor.facts?.tags);
  const lasting = remove_tags.filter((tag) => reported.has(tag) || !sensor.platformTags.has(tag));
  return [...beyond(new Set(set.map(([tag]) => tag)), added), ...beyond(new Set(sensor.removedTags), lasting)];
}

function beyond(held: Set<string>, more: readonly string[]): string[] {
  return more.filter((tag) => isFull(held, tag) || !held.add(tag));
}
