/** The counts of each minute in Redis. Each minute is a hash that expires a day after its last write. */
import { type Minute, STATS_MINUTES, type StatsStore } from '../../projector/stats.ts';
import { refusalOf } from './answers.ts';
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';

/** An hour more than is shown: a minute must not expire while it is still read. */
const KEEP_SECONDS = (STATS_MINUTES + 60) * 60;

export function createStats(redis: RedisClient): StatsStore {
  return {
    count: async (requests) => {
      const replies = await redis.pipeline(
        requests.map(({ oid, epoch, partition, fromOffset, nextOffset, counts }) =>
          redis.script(
            oid,
            'count',
            [keys.marker(oid), keys.counted(oid), ...[...counts.keys()].map((minute) => keys.minute(oid, minute))],
            [
              epoch,
              partition,
              fromOffset,
              nextOffset,
              KEEP_SECONDS,
              ...[...counts.values()].flatMap((fields) => [fields.size, ...[...fields].flat()]),
            ],
          ),
        ),
      );
      // The rebuild of a refused org reads the events again, and counts them.
      return replies.map((reply) => {
        const from = refusalOf(reply) ? undefined : (reply as unknown[])[1];
        return from === undefined ? null : Number(from);
      });
    },
    writeOnline: async (rows) => {
      await redis.pipeline(
        rows.flatMap(({ oid, partition, minute, online }) => [
          { oid, name: 'hset', args: [keys.minute(oid, minute), `o${partition}`, online] },
          { oid, name: 'expire', args: [keys.minute(oid, minute), KEEP_SECONDS] },
        ]),
      );
    },
    read: async (oid, first, count) => {
      const minutes = Array.from({ length: count }, (_, i) => keys.minute(oid, first + i));
      const replies = await redis.pipeline(minutes.map((key) => ({ oid, name: 'hgetall', args: [key] })));
      return replies.map((reply): Minute => {
        const fields = Object.entries(reply as Record<string, string>);
        return new Map(fields.map(([field, value]) => [field, Number(value)]));
      });
    },
  };
}
