/** Reads the answers of scripts. */
import type { Answer, InFlight, OrgStatus, Refusal } from '../../projector/projection.ts';
import { ANSWERS, MARKER, nameOf } from './layout.ts';

type Reply = [string, ...unknown[]];

/** null: the script did its work. */
export function refusalOf(reply: unknown): Refusal | null {
  if (reply instanceof Error) return { ok: false, why: 'away' };
  const [word, detail] = reply as Reply;
  const answer = nameOf(ANSWERS, String(word));
  switch (answer) {
    case 'ok':
      return null;
    case 'epoch':
      return { ok: false, why: 'epoch', epoch: String(detail) };
    case 'fenced':
      return { ok: false, why: 'fenced' };
    case 'notReady':
      return { ok: false, why: 'not_ready' };
    case 'lost':
      return { ok: false, why: 'lost' };
    case 'moved':
    case 'busy':
      throw new Error(`this script does not answer ${word}`);
  }
}

export function answerOf<T extends object>(reply: unknown, read: (values: unknown[]) => T): Answer<T> {
  return refusalOf(reply) ?? { ok: true, ...read((reply as Reply).slice(1)) };
}

/** A flat list of Redis, two elements at a time. */
export function pairsOf<T>(flat: unknown, read: (a: string, b: string) => T): T[] {
  const list = flat as unknown[];
  const out: T[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) out.push(read(String(list[i]), String(list[i + 1])));
  return out;
}

export const inFlightOf = (flat: unknown): InFlight[] =>
  pairsOf(flat, (batch, end) => ({ batch, untilMs: Number(end) }));

export function statusOf(reply: unknown): OrgStatus | null {
  if (refusalOf(reply)) return null;
  const [, flat, now, usable] = reply as [string, unknown, string, string];
  const fields = new Map(pairsOf(flat, (name, value) => [name, value] as const));
  return {
    epoch: fields.get(MARKER.epoch) ?? '',
    usable: usable === '1',
    version: Number(fields.get(MARKER.version) ?? 0),
    begunAtMs: Number(fields.get(MARKER.begunAt) ?? 0),
    nowMs: Number(now),
    commandOffsets: offsetsOf(fields, MARKER.commandOffset),
    eventOffsets: offsetsOf(fields, MARKER.eventOffset),
    presenceOffsets: offsetsOf(fields, MARKER.presenceOffset),
    livePartitions: new Set(offsetsOf(fields, MARKER.live).keys()),
  };
}

function offsetsOf(fields: Map<string, string>, prefix: string): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const [name, value] of fields)
    if (name.startsWith(prefix)) offsets.set(Number(name.slice(prefix.length)), Number(value));
  return offsets;
}
