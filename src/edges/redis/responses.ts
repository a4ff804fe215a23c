/** Locations of responses in Redis: a hash for each task, `sid event id` -> `partition offset bytes at type`. */
import {
  type NoteAnswer,
  type NoteRequest,
  RESPONSES_MAX,
  type Response,
  type ResponseStore,
} from '../../responder/responses/responses.ts';
import { refusalOf } from './answers.ts';
import type { Command, RedisClient } from './client.ts';
import { ANSWERS, keys, MORE_RESPONSES_FIELD } from './layout.ts';

/** Maximum number of responses of one script. A batch with more takes several scripts; the last one moves the position. */
const PER_SCRIPT = 500;

export function createResponses(redis: RedisClient): ResponseStore {
  return {
    note: async (requests) => {
      const parts = requests.map((request) => partsOf(request).map((part) => noteCommand(redis, request, part)));
      const replies = await redis.tryAll(parts.flat());
      let at = 0;
      return parts.map(({ length }): NoteAnswer => {
        const mine = replies.slice(at, at + length);
        at += length;
        const refused = mine.find((reply) => isMoved(reply) || refusalOf(reply) !== null);
        if (refused === undefined) return 'noted';
        return isMoved(refused) ? 'moved' : 'refused';
      });
    },
    positions: async (oids) => {
      const commands = oids.map((oid) => ({ oid, name: 'hgetall', args: [keys.responsePositions(oid)] }));
      return (await redis.tryAll(commands)).map((reply) => {
        if (reply instanceof Error) return null;
        const entries = Object.entries(reply as Record<string, string>);
        return new Map(entries.map(([partition, next]) => [Number(partition), Number(next)]));
      });
    },
    read: async (oid, taskId) => {
      const [flat] = await redis.pipeline([{ oid, name: 'hgetall', args: [keys.responses(oid, taskId)] }]);
      const { [MORE_RESPONSES_FIELD]: more, ...fields } = flat as Record<string, string>;
      const responses = Object.entries(fields).map(([field, value]) => readResponse(field, value));
      return { responses: responses.sort((a, b) => a.offset - b.offset), complete: more === undefined };
    },
  };
}

const isMoved = (reply: unknown): boolean =>
  !(reply instanceof Error) && String((reply as unknown[])[0]) === ANSWERS.moved;

type Part = { byTask: Map<string, Response[]>; isLast: boolean };

function partsOf({ byTask }: NoteRequest): Part[] {
  const all = [...byTask].flatMap(([taskId, responses]) => responses.map((response) => ({ taskId, response })));
  const count = Math.max(1, Math.ceil(all.length / PER_SCRIPT));
  return Array.from({ length: count }, (_, i) => {
    const mine = all.slice(i * PER_SCRIPT, (i + 1) * PER_SCRIPT);
    const grouped = Map.groupBy(mine, ({ taskId }) => taskId);
    const part = [...grouped].map(([taskId, some]) => [taskId, some.map(({ response }) => response)] as const);
    return { byTask: new Map(part), isLast: i === count - 1 };
  });
}

function noteCommand(
  redis: RedisClient,
  { oid, partition, expected, nextOffset }: NoteRequest,
  { byTask, isLast }: Part,
): Command {
  return redis.script(
    oid,
    'responses',
    [
      keys.marker(oid),
      keys.responsePositions(oid),
      ...[...byTask.keys()].flatMap((id) => [keys.record(oid, id), keys.responses(oid, id)]),
    ],
    [
      partition,
      expected ?? '',
      isLast ? nextOffset : '',
      RESPONSES_MAX,
      ...[...byTask.values()].flatMap((some) => [some.length, ...some.flatMap(writeResponse)]),
    ],
  );
}

const writeResponse = (response: Response): string[] => [
  `${response.sid} ${response.eventId}`,
  `${response.partition} ${response.offset} ${response.bytes} ${response.atMs} ${response.eventType}`,
];

function readResponse(field: string, value: string): Response {
  const [sid = '', eventId = ''] = field.split(' ');
  const [partition, offset, bytes, atMs, ...type] = value.split(' ');
  return {
    sid,
    eventId,
    eventType: type.join(' '),
    partition: Number(partition),
    offset: Number(offset),
    bytes: Number(bytes),
    atMs: Number(atMs),
  };
}
