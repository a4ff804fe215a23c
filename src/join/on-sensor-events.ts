/** A batch of `sensor-events`: decode -> judge -> ack -> wait for claims in flight -> TASK_DONE, TASK_FAILURE -> commit. */
import { persist } from '../clock.ts';
import type { Batch } from '../ports.ts';
import type { Joiner } from './joiner.ts';
import {
  type Acked,
  ackAll,
  deliveredEvent,
  type Receipt,
  type Sorted,
  settledEvent,
  sortEvents,
  waitForFlights,
} from './receipts.ts';
import { SETTLED } from './tasks.ts';

class AskAgain extends Error {}

export async function onSensorEvents(joiner: Joiner, batch: Batch): Promise<boolean> {
  const { clock, inbox, orgs, log, outbox, metrics } = joiner.ports;
  const done = await persist(
    clock,
    batch.alive,
    async () => {
      const decoded = await inbox.decode('SensorEvent', batch.records);
      let sorted = sortEvents(decoded, orgs.table);
      if (sorted.letters.some(({ code }) => code === 'org_unknown')) {
        await orgs.refresh();
        sorted = sortEvents(decoded, orgs.table);
      }
      const acked = await settle(joiner, batch, sorted.receipts);
      const events = [
        ...acked.flatMap((ack) => settledEvent(ack) ?? []),
        ...confirmDeliveries(joiner, batch.partition, sorted),
      ];
      await Promise.all([outbox.taskEvents(events), outbox.deadLetters(sorted.letters)]);
      for (const { code } of sorted.letters) metrics.deadLettered(code);
      for (const { word } of acked) if (word.word === 'first') metrics.acked(word.state, 1);
      return true;
    },
    (error) => {
      // What this try has settled is a repeat for the next one, and still has to be told.
      joiner.tellRepeats(batch.partition, batch.nextOffset);
      if (!(error instanceof AskAgain)) log.warn({ err: error }, 'a batch of sensor events is tried again');
    },
  );
  if (!done || !batch.alive()) return false;
  try {
    await joiner.commit(batch);
  } catch (error) {
    joiner.tellRepeats(batch.partition, batch.nextOffset);
    throw error;
  }
  return true;
}

/** What is to be told: first answers, and those that the owner before may not have told. */
async function settle(joiner: Joiner, batch: Batch, receipts: Receipt[]): Promise<Acked[]> {
  const { clock, config, orgs } = joiner.ports;
  const known = new Set(orgs.table.oids());
  const ours = receipts.filter(({ oid }) => known.has(oid));
  if (ours.length === 0) return [];
  const seats = joiner.seats.in(batch.partition);
  if (ours.some(({ oid }) => !seats.get(oid)?.token)) throw new AskAgain('a seat is being taken');
  const startedMono = clock.monoMs();
  const answer = await ackAll(joiner.ports, seats, ours);
  if ('refused' in answer) {
    joiner.refused(answer.refused.seat, answer.refused.why);
    throw new AskAgain(answer.refused.why);
  }
  await Promise.all(
    answer.waits.map(({ seat, epoch, nowMs, entries }) =>
      waitForFlights(joiner.ports, seat.oid, epoch, nowMs, entries),
    ),
  );
  if (clock.monoMs() - startedMono > 2 * config.CLAIM_LEASE_MS) throw new AskAgain('the acks are too old');
  for (const { receipt, seat } of answer.acked) {
    const sensor = seat.sensors.get(receipt.sid);
    const task = joiner.task(receipt.oid, receipt.taskId);
    if (sensor && task) task.waits.set(sensor, SETTLED);
  }
  const repeatBelow = joiner.repeatsToldBelow(batch.partition);
  return answer.acked.filter(
    ({ word, receipt }) => word.word === 'first' || (word.word === 'repeat' && receipt.offset < repeatBelow),
  );
}

function confirmDeliveries(joiner: Joiner, partition: number, { delivered }: Sorted) {
  return delivered.flatMap((delivery) => {
    const seat = joiner.seats.in(partition).get(delivery.oid);
    if (!seat || !joiner.task(delivery.oid, delivery.taskId)) return [];
    const sensor = seat.sensors.get(delivery.sid);
    if (sensor && !sensor.confirms) {
      sensor.confirms = true;
      seat.dirtyRows.add(sensor.sid);
    }
    return [deliveredEvent(delivery, seat.epoch)];
  });
}
