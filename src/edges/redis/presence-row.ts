/** A row of a sensor's presence, as text: `online flags aliveAt [connection, since, closed, replaced, next offset]`. */
import type { PresenceRow } from '../../projector/projection.ts';

const CONFIRMS = 1;
/** Set in rows that end with a JSON list. Earlier versions wrote the connection id there. */
const LISTED = 2;

/** Rows of earlier versions have no offset. */
type Listed = [string | null, number, string[], string[], number?];

export const writePresence = ({ online, confirms, aliveAtMs, ...rest }: PresenceRow): string =>
  `${online ? 1 : 0} ${LISTED + (confirms ? CONFIRMS : 0)} ${aliveAtMs} ${JSON.stringify([
    rest.connectionId,
    rest.sinceMs,
    rest.closed,
    rest.replaced,
    rest.nextOffset,
  ])}`;

export function readPresence(text: string): PresenceRow {
  const [word, flagText, alive] = text.split(' ', 3) as [string, string, string];
  const tail = text.slice(word.length + flagText.length + alive.length + 3);
  const [flags, online, aliveAtMs] = [Number(flagText), word === '1', Number(alive)];
  const known = { online, confirms: (flags & CONFIRMS) !== 0, aliveAtMs };
  if ((flags & LISTED) === 0) {
    const connectionId = tail === '' ? null : tail;
    const closed = online || connectionId === null ? [] : [connectionId];
    return { ...known, connectionId, sinceMs: aliveAtMs, closed, replaced: [], nextOffset: 0 };
  }
  const [connectionId, sinceMs, closed, replaced, nextOffset = 0] = JSON.parse(tail) as Listed;
  return { ...known, connectionId, sinceMs, closed, replaced, nextOffset };
}
