/**
 * The tags of a sensor: the ones that it reports, the ones that the API and rules set, and the ones that they remove. Pure.
 *
 * A removed tag stays away even if the sensor reports it. A sensor holds at most `TAGS_MAX` set tags and `TAGS_MAX` removed ones,
 * because its state has to fit one record: a larger record would block its partition. Tags above the limit are ignored and counted.
 */
import type { SensorFacts, SensorPresence } from './records.ts';

export const TAGS_MAX = 1_000;

export type SensorTags = {
  facts: Pick<SensorFacts, 'tags'> | null;
  /** Tags set by the API and rules, with their expiry (Unix ms), or null: no expiry. */
  platformTags: Map<string, number | null>;
  /** Tags removed by the API and rules. */
  removedTags: Set<string>;
};

type Change = Pick<SensorPresence, 'add_tags' | 'remove_tags'>;
type Tags = { size: number; has(tag: string): boolean };

const isFull = (tags: Tags, tag: string): boolean => tags.size >= TAGS_MAX && !tags.has(tag);

const UNCHANGED = { changed: false, ignored: 0 };

/** Applies the tags of a presence record. `ignored` counts the tags above the limit. */
export function changeTags(
  sensor: SensorTags,
  { add_tags, remove_tags }: Change,
): { changed: boolean; ignored: number } {
  if (add_tags.length === 0 && remove_tags.length === 0) return UNCHANGED;
  let changed = false;
  let ignored = 0;
  for (const { tag, expires_at } of add_tags) {
    if (sensor.removedTags.delete(tag)) changed = true;
    if (sensor.platformTags.get(tag) === expires_at) continue;
    if (isFull(sensor.platformTags, tag)) ignored += 1;
    else {
      sensor.platformTags.set(tag, expires_at);
      changed = true;
    }
  }
  for (const tag of remove_tags) {
    if (sensor.platformTags.delete(tag)) changed = true;
    if (sensor.removedTags.has(tag)) continue;
    if (isFull(sensor.removedTags, tag)) ignored += 1;
    else {
      sensor.removedTags.add(tag);
      changed = true;
    }
  }
  return { changed, ignored };
}

/** The tags of a change that `changeTags` would ignore. Tags that have expired by `nowMs` do not count: they are dropped soon. A
 *  set tag can always be removed; it only has to be remembered as removed if the sensor reports it too. */
export function tagsAboveLimit(
  sensor: SensorTags,
  { add_tags = [], remove_tags = [] }: Partial<Change>,
  nowMs: number,
): string[] {
  const set = [...sensor.platformTags].filter(([, expiresAtMs]) => expiresAtMs === null || expiresAtMs > nowMs);
  const added = add_tags.map(({ tag }) => tag);
  const reported = new Set(sensor.facts?.tags);
  const remembered = remove_tags.filter((tag) => reported.has(tag) || !sensor.platformTags.has(tag));
  return [
    ...aboveLimit(new Set(set.map(([tag]) => tag)), added),
    ...aboveLimit(new Set(sensor.removedTags), remembered),
  ];
}

function aboveLimit(held: Set<string>, more: readonly string[]): string[] {
  return more.filter((tag) => isFull(held, tag) || !held.add(tag));
}

/** The tags that selectors see: reported and set, without expired and removed ones. */
export function effectiveTags(sensor: SensorTags, nowMs: number): string[] {
  if (sensor.platformTags.size === 0 && sensor.removedTags.size === 0) return sensor.facts?.tags ?? [];
  const tags = new Set(sensor.facts?.tags ?? []);
  for (const [tag, expiresAtMs] of sensor.platformTags) if (expiresAtMs === null || expiresAtMs > nowMs) tags.add(tag);
  for (const tag of sensor.removedTags) tags.delete(tag);
  return [...tags];
}

/** Drops the platform tags that have expired. Returns whether there were any. */
export function dropExpired({ platformTags }: SensorTags, nowMs: number): boolean {
  let dropped = false;
  for (const [tag, expiresAtMs] of platformTags)
    if (expiresAtMs !== null && expiresAtMs <= nowMs) dropped = platformTags.delete(tag);
  return dropped;
}

/** The next time (Unix ms) at which a platform tag expires, or Infinity. */
export function nextTagExpiryMs({ platformTags }: SensorTags, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const expiresAtMs of platformTags.values())
    if (expiresAtMs !== null && expiresAtMs > nowMs && expiresAtMs < next) next = expiresAtMs;
  return next;
}
