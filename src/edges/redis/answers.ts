/** Reads what scripts answer. */
import type { Answer, InFlight, OrgStatus, PresenceRow, Refusal } from '../../projector/projection.ts';

type Reply = [string, ...unknown[]];

/** null when the script did its work. */
export function refusalOf(reply: unknown): Refusal | null {
  if (reply instanceof Error) return { ok: false, why: 'away' };
  const [word, detail] = reply as Reply;
  switch (String(word)) {
    case 'OK':
      return null;
    case 'EPOCH':
      return { ok: false, why: 'epoch', epoch: String(detail) };
    case 'FENCED':
      return { ok: false, why: 'fenced' };
    case 'NOTREADY':
      return { ok: false, why: 'not_ready' };
    default:
      return { ok: false, why: 'lost' };
  }
}

export function answerOf<T extends object>(reply: unknown, read: (values: unknown[]) => T): Answer<T> {
  return refusalOf(reply) ?? { ok: true, ...read((reply as Reply).slice(1)) };
}

export function deliveriesOf<T>(flat: unknown, read: (a: string, b: string) => T): T[] {
  const list = flat as unknown[];
  const out: T[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) out.push(read(String(list[i]), String(list[i + 1])));
  return out;
}

export const inFlightOf = (flat: unknown): InFlight[] =>
  deliveriesOf(flat, (batch, end) => ({ batch, untilMs: Number(end) }));

export function statusOf(reply: unknown): OrgStatus | null {
  if (refusalOf(reply)) return null;
  const [, flat, now, usable] = reply as [string, unknown, string, string];
  const fields = new Map(deliveriesOf(flat, (name, value) => [name, value] as const));
  return {
    epoch: fields.get('e') ?? '',
    usable: usable === '1',
    version: Number(fields.get('v') ?? 0),
    begunAtMs: Number(fields.get('b') ?? 0),
    nowMs: Number(now),
    commandOffsets: offsetsOf(fields, 'c:'),
    eventOffsets: offsetsOf(fields, 't:'),
    presenceOffsets: offsetsOf(fields, 's:'),
    livePartitions: new Set(offsetsOf(fields, 'u:').keys()),
  };
}

function offsetsOf(fields: Map<string, string>, prefix: string): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const [name, value] of fields)
    if (name.startsWith(prefix)) offsets.set(Number(name.slice(prefix.length)), Number(value));
  return offsets;
}

const CONFIRMS = 1;
/** Set in rows that carry a JSON list behind the numbers; earlier versions wrote the connection id there. */
const LISTED = 2;

/** Rows of earlier versions end before the offset. */
type Listed = [string | null, number, string[], string[], number?];

/** `online flags alive [connection, since, closed, replaced, next offset]`. */
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
