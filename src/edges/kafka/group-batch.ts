/**
 * What a member does with one batch. It is checked against the offset that the role wants next: a batch from a later fetch is
 * dropped and the partition sought back, so that nothing is skipped whatever seek and fetch did in between.
 *
 * While a batch is worked on, heartbeats go on.
 */
import type { Consumer, ConsumerEndBatchProcessEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { TimeSource } from '../../clock.ts';
import type { InRecord } from '../../outbox.ts';
import type { Batch, GroupOptions } from '../../ports.ts';

export type MemberOptions = GroupOptions<string> & {
  kafka: Kafka;
  sessionMs: number;
  log: Logger;
  clock: Pick<TimeSource, 'after' | 'monoMs'>;
  /** The first offset that the log still has. */
  low(topic: string, partition: number): Promise<number>;
};

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
    beating = false; // a rebalance: what is under way ends at its next check
  });
  try {
    let wanted = (await options.wanted(topic, partition)) ?? fetched;
    if (!alive()) return;
    if (fetched > wanted) wanted = Math.max(wanted, await options.low(topic, partition));
    if (fetched > wanted) {
      consumer.seek({ topic, partition, offset: String(wanted) });
      return;
    }
    const isBehind = Number(batch.lastOffset()) < wanted;
    const handled = isBehind || (await options.onBatch(batchOf(payload, recordsOf(payload, wanted), alive)));
    if (!alive()) return;
    if (handled === true) {
      payload.resolveOffset(batch.lastOffset());
      return;
    }
    consumer.seek({ topic, partition, offset: String((await options.wanted(topic, partition)) ?? wanted) });
    if (handled === false) return;
    const resume = payload.pause();
    handled.until.then(resume, resume);
  } finally {
    stopBeating();
  }
  await payload.heartbeat();
}

/** Heartbeats at intervals until it is called off; `onRefused` once the group is no longer ours. */
function whileWorking(
  { clock, sessionMs }: MemberOptions,
  payload: EachBatchPayload,
  onRefused: () => void,
): () => void {
  let callOff = () => {};
  const next = (): void => {
    callOff = clock.after(Math.floor(sessionMs / 5), () => {
      payload.heartbeat().catch(onRefused);
      next();
    });
  };
  next();
  return () => callOff();
}

type Passed = Pick<
  ConsumerEndBatchProcessEvent['payload'],
  'topic' | 'partition' | 'highWatermark' | 'firstOffset' | 'lastOffset'
>;

/** Only what begins where the role stands: behind a gap the next batch is sought back, as always. */
export async function passOver(options: MemberOptions, passed: Passed, alive: () => boolean): Promise<void> {
  const { topic, partition } = passed;
  const nextOffset = Number(passed.lastOffset) + 1;
  const wanted = await options.wanted(topic, partition);
  if (wanted === null || wanted >= nextOffset || !alive()) return;
  const first = Number(passed.firstOffset ?? passed.lastOffset);
  if (first > wanted && first > (await options.low(topic, partition))) return;
  const lag = Math.max(Number(passed.highWatermark) - nextOffset, 0);
  await options.onBatch({ topic, partition, records: [], nextOffset, lag, alive });
}

function batchOf({ batch }: EachBatchPayload, records: InRecord[], alive: () => boolean): Batch<string> {
  const nextOffset = Number(batch.lastOffset()) + 1;
  const lag = Math.max(Number(batch.highWatermark) - nextOffset, 0);
  return { topic: batch.topic, partition: batch.partition, records, nextOffset, lag, alive };
}

function recordsOf({ batch }: EachBatchPayload, wanted: number): InRecord[] {
  const records: InRecord[] = [];
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    if (offset < wanted) continue;
    records.push({
      topic: batch.topic,
      partition: batch.partition,
      offset,
      key: message.key,
      value: message.value,
      timestampMs: Number(message.timestamp),
      headers: message.headers ?? {},
    });
  }
  return records;
}
