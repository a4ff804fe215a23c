/** Counts recent dead letters by error code. The cost is bounded: it reads only the newest ones, for a few seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import { deadLetterOf, newestFrom } from '../../operations/dead-letters.ts';
import type { DeadLetterFacts } from '../../operations/doctor.ts';
import type { Log } from './log.ts';

const RECENT_HOURS = 24;
const DEAD_LETTERS_MAX = 20_000;
const READ_MS = 5_000;

export async function recentDeadLetters(log: Log, nowMs: number): Promise<DeadLetterFacts> {
  const sinceMs = nowMs - RECENT_HOURS * 3_600_000;
  const [since, ends] = await Promise.all([log.since('deadLetter', sinceMs), log.ends('deadLetter')]);
  const { from, total, wanted } = newestFrom(since, ends, DEAD_LETTERS_MAX);
  const byCode: Record<string, number> = {};
  let read = 0;
  if (wanted > 0) {
    const timer = new AbortController();
    const ended = delay(READ_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    const count = (records: Parameters<typeof deadLetterOf>[0][]) => {
      for (const record of records) {
        const code = deadLetterOf(record, log.config.KAFKA_TOPIC_PREFIX)?.code || 'none';
        byCode[code] = (byCode[code] ?? 0) + 1;
        read += 1;
      }
    };
    await log.read('deadLetter', from, count, ended).finally(() => timer.abort());
  }
  return { byCode, unread: Math.max(total - read, 0), hours: RECENT_HOURS };
}
