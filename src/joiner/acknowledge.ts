/**
 * A batch of `sensor-events`: decode -> judge -> ack -> wait for claims in flight -> TASK_DONE, TASK_FAILURE -> commit.
 *
 * A batch that cannot be finished now, because a seat is being taken or a part is away, is left, and its partition rests for a
 * while: the fetches of a process go round together, and a batch that waited in place would hold all its partitions.
 */
import { retryDelayMs } from '../async/clock.ts';
import type { Batch, Handled } from '../ports.ts';
import type { Joining } from './joining.ts';
import { SETTLED } from './pending-tasks.ts';
import {
  type Acked,
  ackAll,
  deliveredEvent,
  type Receipt,
  type Sorted,
  settledEvent,
  sortEvents,
  waitForClaimBatches,
} from './receipts.ts';

const ORG_PARTITION_POLL_MS = 50;
const ORG_PARTITION_WAIT_MS = 2_000;

/** The receipts of these orgs can't be settled now. */
class NotNow extends Error {
  readonly oids: string[];
  constructor(oids: string[], why: string) {
    super(why);
    this.oids = oids;
  }
}

async function settleBatch(joiner: Joining, batch: Batch): Promise<void> {
  const { inbox, orgs, outbox, metrics, clock } = joiner.ports;
  const decoded = await inbox.decode('SensorEvent', batch.records);
  let sorted = sortEvents(decoded, orgs.table);
  if (sorted.deadLetters.some(({ code }) => code === 'org_unknown')) {
    await orgs.refresh();
    sorted = sortEvents(decoded, orgs.table);
  }
  const startedMono = clock.monoMs();
  const acked = await settle(joiner, batch, sorted.receipts);
  const events = [
    ...acked.flatMap((ack) => settledEvent(ack) ?? []),
    ...confirmDeliveries(joiner, batch.partition, sorted),
  ];
  await Promise.all([outbox.taskEvents(events), outbox.deadLetters(sorted.deadLetters)]);
  if (isTooOld(joiner, startedMono)) await askAgain(joiner, batch, sorted.receipts);
  for (const { code } of sorted.deadLetters) metrics.deadLettered(code);
  for (const { word } of acked) if (word.word === 'first') metrics.acked(word.state, 1);
}

export async function onSensorEvents(joiner: Joining, batch: Batch): Promise<Handled> {
  const { log, clock } = joiner.ports;
  const { partition } = batch;
  try {
    await settleBatch(joiner, batch);
    joiner.tries.delete(partition);
  } catch (error) {
    // What this try has settled is a repeat for the next one, and still has to be told.
    joiner.repeats.tell(partition, batch.nextOffset);
    if (error instanceof NotNow) return { until: orgPartitionsTaken(joiner, partition, error.oids) };
    const tries = (joiner.tries.get(partition) ?? 0) + 1;
    joiner.tries.set(partition, tries);
    log.warn({ err: error, partition, tries }, 'a batch of sensor events is tried again');
    return { until: clock.delay(retryDelayMs(tries, clock.random())) };
  }
  if (!batch.alive()) return false;
  try {
    await joiner.commit(batch);
  } catch (error) {
    joiner.repeats.tell(partition, batch.nextOffset);
    throw error;
  }
  return true;
}

/** Until every org has its seat here, or for a while. */
async function orgPartitionsTaken(
  { ownership, ports: { clock } }: Joining,
  partition: number,
  oids: string[],
): Promise<void> {
  const deadline = clock.monoMs() + ORG_PARTITION_WAIT_MS;
  do await clock.delay(ORG_PARTITION_POLL_MS);
  while (clock.monoMs() < deadline && oids.some((oid) => !ownership.in(partition).get(oid)?.fencingToken));
}

function ofKnownOrgs({ ports: { orgs } }: Joining, receipts: Receipt[]): Receipt[] {
  const known = new Set(orgs.table.oids());
  return receipts.filter(({ oid }) => known.has(oid));
}

/** So long after an ack Redis may be another one, which does not have it. */
const isTooOld = ({ ports: { clock, config } }: Joining, startedMono: number): boolean =>
  clock.monoMs() - startedMono > 2 * config.CLAIM_LEASE_MS;

/** Events that were long under way may stand behind what a rebuild has read: a Redis that has lost their acks meanwhile would take the
 *  next answer of such a pair for the first. Throws then, and the batch is done again. */
async function askAgain(joiner: Joining, batch: Batch, receipts: Receipt[]): Promise<void> {
  const orgPartitions = joiner.ownership.in(batch.partition);
  const { acked, refused } = await ackAll(joiner.ports, orgPartitions, ofKnownOrgs(joiner, receipts));
  if (refused.length > 0 || acked.some(({ word }) => word.word === 'first'))
    throw new Error('Redis has lost acks while they were told');
}

/** What is to be told: first answers, and those that the owner before may not have told. */
async function settle(joiner: Joining, batch: Batch, receipts: Receipt[]): Promise<Acked[]> {
  const { clock } = joiner.ports;
  const ours = ofKnownOrgs(joiner, receipts);
  if (ours.length === 0) return [];
  const orgPartitions = joiner.ownership.in(batch.partition);
  const missing = [...new Set(ours.map(({ oid }) => oid))].filter((oid) => !orgPartitions.get(oid)?.fencingToken);
  if (missing.length > 0) throw new NotNow(missing, 'a seat is being taken');
  const startedMono = clock.monoMs();
  const answer = await ackAll(joiner.ports, orgPartitions, ours);
  for (const { orgPartition, fencingToken, why } of answer.refused)
    if (why !== 'away' && orgPartition.fencingToken === fencingToken) joiner.refused(orgPartition, why);
  const [first] = answer.refused;
  if (first)
    throw new NotNow(
      answer.refused.map(({ orgPartition }) => orgPartition.oid),
      first.why,
    );
  await Promise.all(
    answer.redelivery.map(({ orgPartition, epoch, nowMs, entries }) =>
      waitForClaimBatches(joiner.ports, orgPartition.oid, epoch, nowMs, entries),
    ),
  );
  if (isTooOld(joiner, startedMono)) throw new Error('the acks are too old');
  for (const { receipt, orgPartition } of answer.acked) {
    const sensor = orgPartition.sensors.get(receipt.sid);
    const task = joiner.followers.task(receipt.oid, receipt.taskId);
    if (sensor && task) task.redelivery.set(sensor, SETTLED);
  }
  const repeatBelow = joiner.repeats.below(batch.partition);
  return answer.acked.filter(
    ({ word, receipt }) => word.word === 'first' || (word.word === 'repeat' && receipt.offset < repeatBelow),
  );
}

function confirmDeliveries(joiner: Joining, partition: number, { delivered }: Sorted) {
  return delivered.flatMap((delivery) => {
    const orgPartition = joiner.ownership.in(partition).get(delivery.oid);
    if (!orgPartition || !joiner.followers.task(delivery.oid, delivery.taskId)) return [];
    const sensor = orgPartition.sensors.get(delivery.sid);
    if (sensor && !sensor.confirms) {
      sensor.confirms = true;
      orgPartition.dirtyRows.add(sensor.sid);
    }
    return [deliveredEvent(delivery, orgPartition.epoch)];
  });
}
