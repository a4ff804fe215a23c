/** Compares what Redis has beside tasks, deliveries and facts with the log. Each difference names its key. Pure. */
import type { Minute } from '../projector/stats.ts';
import { RESPONSES_MAX, type Response } from '../responder/responses/responses.ts';
import type { Difference } from './compare.ts';
import type { Connection, Positions } from './kept.ts';
import type { LoggedResponse } from './logged-responses.ts';

/** `sure`: the log says whether the sensor is known at all. */
export function compareConnection(
  key: string,
  live: Connection | undefined,
  logged: Connection | undefined,
  isKnown: boolean,
): Difference[] {
  if (!logged) return live && !isKnown ? [{ key, redis: connectionText(live), log: 'no such sensor' }] : [];
  const agrees = live?.online === logged.online && live.connectionId === logged.connectionId;
  return agrees ? [] : [{ key, redis: live ? connectionText(live) : 'absent', log: connectionText(logged) }];
}

const connectionText = ({ online, connectionId }: Connection): string =>
  `${online ? 'online' : 'offline'}, connection ${connectionId}`;

/** `before`: what the log had at the look before; what it has now may still be under way. */
export function compareMinute(key: string, live: Minute, now: Minute, before: Minute): Difference[] {
  const fields = [...new Set([...live.keys(), ...now.keys()])].filter((field) => !field.startsWith('o'));
  return fields.flatMap((field) => {
    const [is, most, least] = [live, now, before].map((minute) => minute.get(field) ?? 0) as [number, number, number];
    return is < least || is > most ? [{ key: `${key} ${field}`, redis: `count ${is}`, log: `count ${most}` }] : [];
  });
}

/** `isOnLog` is asked of what Redis has; `gone`: first offsets that the topic still holds. */
export function compareResponses(
  key: string,
  live: { responses: readonly Response[]; complete: boolean },
  logged: ReadonlyMap<string, LoggedResponse>,
  isOnLog: (response: Response) => boolean,
  first: Positions,
): Difference[] {
  const has = new Set(live.responses.map(({ sid, eventId }) => `${sid} ${eventId}`));
  const wrong = live.responses
    .filter((response) => response.offset >= (first.get(response.partition) ?? 0) && !isOnLog(response))
    .map(({ sid, eventId, partition, offset }) => ({
      key: `${key} ${sid} ${eventId}`,
      redis: `at ${partition}:${offset}`,
      log: 'not there',
    }));
  // Which of too many are kept depends on the order in which partitions were read.
  if (!live.complete || logged.size > RESPONSES_MAX) return wrong;
  const lacking = [...logged]
    .filter(([name]) => !has.has(name))
    .map(([name, { partition, offset }]) => ({
      key: `${key} ${name}`,
      redis: 'absent',
      log: `at ${partition}:${offset}`,
    }));
  return [...wrong, ...lacking];
}

/** Nobody has read what is not written yet. `field` names the position of a partition. */
export const comparePositions = (
  key: string,
  field: (partition: number) => string,
  live: Positions,
  ends: Positions,
): Difference[] =>
  [...live].flatMap(([partition, next]) => {
    const end = ends.get(partition) ?? 0;
    return next > end ? [{ key: `${key} ${field(partition)}`, redis: `read to ${next}`, log: `ends at ${end}` }] : [];
  });
