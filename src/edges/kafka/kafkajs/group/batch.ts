/**
 * What a member does with one batch. It compares the batch with the offset that the role wants next. If the batch starts later, it
 * drops the batch and seeks back. So no record is skipped, in whatever order seek and fetch happened.
 *
 * Heartbeats continue while a batch is in work.
 */
import type { Consumer, ConsumerEndBatchProcessEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { TimeSource } from '../../../../async/clock.ts';
import type { GroupOptions, InRecord } from '../../../../ports.ts';
import { inRecordOf } from '../in-record.ts';

export type MemberOptions = GroupOptions<string> & {
  kafka: Kafka;
  sessionMs: number;
  log: Logger;
  clock: Pick<TimeSource, 'after' | 'monoMs'>;
  /** The first offset that the log still has. */
  low(topic: string, partition: number): Promise<number>;
};

/** Maximum number of records passed to a role at a time. It limits the role's memory and its work without a pause. */
const PART_MAX = 10_000;

export async function eachBatch(
  options: MemberOptions,
  consumer: Consumer,
  payload: EachBatchPayload,
  mine: () => boolean,
): Promise<void> {
  const { batch } = payload;
  const { topic, partition } = batch;
  const fetched = Number((batch as unknown as { fetchedOffset: string | number }).fetchedOffset);
  let beating = true;
  const alive = () => beating && mine() && payload.isRunning() && !payload.isStale();
  const stopBeating = whileWorking(options, payload, () => {
    beating = false; // a rebalance: the work ends at its next check of `alive`
  });
  try {
    let wanted = (await options.wanted(topic, partition)) ?? fetched;
    if (!alive()) return;
    if (fetched > wanted) wanted = Math.max(wanted, await options.low(topic, partition));
    if (fetched > wanted) {
      consumer.seek({ topic, partition, offset: String(wanted) });
      return;
    }
    if (Number(batch.lastOffset()) < wanted) {
      payload.resolveOffset(batch.lastOffset());
      return;
    }
    for (const { records, nextOffset } of partsOf(payload, wanted)) {
      const handled = await options.onBatch({ topic, partition, records, nextOffset, alive });
      if (!alive()) return;
      if (handled !== true) {
        consumer.seek({ topic, partition, offset: String((await options.wanted(topic, partition)) ?? wanted) });
        if (handled === false) return;
        const resume = payload.pause();
        handled.until.then(resume, resume);
        return;
      }
      payload.resolveOffset(String(nextOffset - 1));
      wanted = nextOffset;
      if (nextOffset > Number(batch.lastOffset())) return;
      // If the role has sought back meanwhile, it gets records from that offset, not the next part.
      const next = (await options.wanted(topic, partition)) ?? wanted;
      if (!alive()) return;
      if (next !== wanted) {
        consumer.seek({ topic, partition, offset: String(next) });
        return;
      }
    }
  } finally {
    stopBeating();
  }
  await payload.heartbeat();
}

/** Sends heartbeats at intervals until the returned function is called. `onRefused`: this is no longer a member of the group. */
function whileWorking(
  { clock, sessionMs }: MemberOptions,
  payload: EachBatchPayload,
  onRefused: () => void,
): () => void {
  let cancel = () => {};
  const next = (): void => {
    cancel = clock.after(Math.floor(sessionMs / 5), () => {
      payload.heartbeat().catch(onRefused);
      next();
    });
  };
  next();
  return () => cancel();
}

type Passed = Pick<ConsumerEndBatchProcessEvent['payload'], 'topic' | 'partition' | 'firstOffset' | 'lastOffset'>;

/** Only if the batch begins at the role's position: after a gap the next batch is sought back, as usual. */
export async function passOver(options: MemberOptions, passed: Passed, alive: () => boolean): Promise<void> {
  const { topic, partition } = passed;
  const nextOffset = Number(passed.lastOffset) + 1;
  const wanted = await options.wanted(topic, partition);
  if (wanted === null || wanted >= nextOffset || !alive()) return;
  const first = Number(passed.firstOffset ?? passed.lastOffset);
  if (first > wanted && first > (await options.low(topic, partition))) return;
  await options.onBatch({ topic, partition, records: [], nextOffset, alive });
}

/** The fetched records from `wanted` on, in parts. The last part ends where the fetch ends, which can be after its last record. */
function* partsOf({ batch }: EachBatchPayload, wanted: number): Generator<{ records: InRecord[]; nextOffset: number }> {
  const { topic, partition, messages } = batch;
  const end = Number(batch.lastOffset()) + 1;
  const records = messages.filter(({ offset }) => Number(offset) >= wanted);
  let at = 0;
  do {
    const part = records.slice(at, at + PART_MAX).map((message) => inRecordOf(topic, partition, message));
    at += PART_MAX;
    yield { records: part, nextOffset: at < records.length ? Number(part.at(-1)?.offset) + 1 : end };
  } while (at < records.length);
}
