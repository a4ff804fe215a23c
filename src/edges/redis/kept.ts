/** What `verify` reads from Redis; see src/operations/kept.ts. */
import { pagesOf } from '../../async/pages.ts';
import type { TaskCommand } from '../../model/records.ts';
import { contentHashOf } from '../../model/task.ts';
import type { Connection, Kept, KeyName } from '../../operations/kept.ts';
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';
import { readPresence } from './presence-row.ts';
import { createResponses } from './responses.ts';

const NAME = /^\{([^}]+)\}:(\w+):?(.*)$/s;
const SCAN_COUNT = 2_000;

export function createKept(redis: RedisClient, decodeCommand: (bytes: Buffer) => TaskCommand): Kept {
  const responses = createResponses(redis);
  return {
    names: (oids) => namesOf(redis, oids),
    places: async (oid, taskIds) => {
      const replies = await redis.pipeline(
        taskIds.flatMap((id) => [
          { oid, name: 'get', args: [keys.task(oid, id)], binary: true },
          { oid, name: 'zscore', args: [keys.pending(oid), id] },
          { oid, name: 'zscore', args: [keys.ended(oid), id] },
        ]),
      );
      return taskIds.map((id, i) => {
        const [bytes, pending, ended] = replies.slice(3 * i) as [Buffer | null, string | null, string | null];
        return {
          content: bytes === null ? null : contentIn(id, bytes, decodeCommand),
          pendingMs: pending === null ? null : Number(pending),
          endedMs: ended === null ? null : Number(ended),
        };
      });
    },
    connections: (oid, partition) => connectionsOf(redis, oid, partition),
    positions: async (oid) => {
      const replies = await redis.pipeline(
        [keys.counted(oid), keys.responsePositions(oid)].map((key) => ({ oid, name: 'hgetall', args: [key] })),
      );
      const [counted, collected] = replies.map(numbersIn);
      return { counted: counted as Map<number, number>, collected: collected as Map<number, number> };
    },
    minutes: async (oid, minutes) => {
      const wanted = minutes.map((minute) => ({ oid, name: 'hgetall', args: [keys.minute(oid, minute)] }));
      return (await redis.pipeline(wanted)).map((reply) => {
        const fields = Object.entries(reply as Record<string, string>);
        return new Map(fields.map(([field, count]) => [field, Number(count)]));
      });
    },
    responses: (oid, taskId) => responses.read(oid, taskId),
  };
}

const numbersIn = (reply: unknown): Map<number, number> =>
  new Map(Object.entries(reply as Record<string, string>).map(([name, value]) => [Number(name), Number(value)]));

async function* namesOf(redis: RedisClient, oids: ReadonlySet<string>): AsyncIterable<KeyName[]> {
  for await (const page of redis.keys('{*}:*'))
    yield page.flatMap((name) => {
      const [, oid = '', kind = '', id = ''] = NAME.exec(name) ?? [];
      return oids.has(oid) ? [{ oid, kind, id }] : [];
    });
}

/** The content of a task's bytes, to be compared. Bytes of another program or another task have none that could be equal. */
function contentIn(taskId: string, bytes: Buffer, decodeCommand: (bytes: Buffer) => TaskCommand): string {
  try {
    const command = decodeCommand(bytes);
    return command.task_id === taskId ? contentHashOf(command) : `of ${command.task_id}`;
  } catch {
    return 'unreadable';
  }
}

async function connectionsOf(redis: RedisClient, oid: string, partition: number): Promise<Map<string, Connection>> {
  const found = new Map<string, Connection>();
  const scan = async (cursor: string | null) => {
    const args = [keys.presence(oid, partition), cursor ?? '0', 'COUNT', SCAN_COUNT];
    const [reply] = await redis.pipeline([{ oid, name: 'hscan', args }]);
    const [next, flat] = reply as [string, string[]];
    return { flat, next: next === '0' ? null : next };
  };
  for await (const { flat } of pagesOf(scan))
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const { online, connectionId } = readPresence(flat[i + 1] as string);
      found.set(flat[i] as string, { online, connectionId });
    }
  return found;
}
