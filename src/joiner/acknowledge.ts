/**
 * Handles a batch of `sensor-events`: decode → judge → ack → wait for claims in flight → write events → commit.
 *
 * The acknowledgement in Redis comes first: from then on no claim of the delivery succeeds. Claims that succeeded before are waited
 * for, because no dispatch may follow the TASK_DONE of its delivery. Then the event is written from what Redis has stored, so a
 * repeat has the same event_id.
 *
 * Redis can lose an acknowledgement. A process that writes the event later than two leases after it could write behind what a
 * rebuild has read: the rebuilt Redis would take the next receipt for the first. So the process then asks Redis again, and
 * repeats the batch if the acknowledgement is lost.
 *
 * A batch that cannot be finished now is left, and its partition pauses. Waiting inside the batch would block the fetches of all
 * partitions of the process.
 */
import { retryDelayMs } from '../async/clock.ts';
import { judgeBatch, writeDeadLetters } from '../consumer.ts';
import type { Batch, DeadLetter, EpochEvent, Handled, RolePorts } from '../ports.ts';
import type { InFlight, Why } from '../projector/projection.ts';
import type { OrgPartition } from './org-partition.ts';
import type { Task } from './org-tasks.ts';
import {
  type Acked,
  type AckResult,
  type Delivered,
  deliveredEvent,
  judgeSensorEvent,
  type Receipt,
  readAckAnswers,
  settledEvent,
  toAckParts,
} from './receipts.ts';
import { settle } from './redelivery.ts';
import { Repeats } from './repeats.ts';

const CLAIMS_POLL_MS = 10;
const TAKEOVER_POLL_MS = 50;
const TAKEOVER_WAIT_MS = 2_000;

export type AcknowledgeOptions = {
  ports: Pick<RolePorts, 'clock' | 'config' | 'inbox' | 'log' | 'metrics' | 'orgs' | 'outbox' | 'projection'>;
  orgPartitionsOf(partition: number): Map<string, OrgPartition>;
  task(oid: string, taskId: string): Task | undefined;
  /** Redis refused the org partition. */
  refused(orgPartition: OrgPartition, why: Why): void;
  commit(batch: Batch): Promise<void>;
};

type Judged = { receipts: Receipt[]; delivered: Delivered[]; deadLetters: DeadLetter[] };

/** The receipts of these orgs cannot be acknowledged now. */
class NotNow extends Error {
  readonly oids: string[];
  constructor(oids: string[], why: string) {
    super(why);
    this.oids = oids;
  }
}

export class Acknowledge {
  readonly #options: AcknowledgeOptions;
  readonly repeats: Repeats;
  /** Failures in a row, by partition. */
  readonly #failures = new Map<number, number>();

  constructor(options: AcknowledgeOptions) {
    this.#options = options;
    this.repeats = new Repeats(options.ports.inbox);
  }

  async handle(batch: Batch): Promise<Handled> {
    const { partition } = batch;
    try {
      await this.#process(batch);
      this.#failures.delete(partition);
    } catch (error) {
      // What this try has acknowledged is a repeat for the next one, and still needs its events.
      this.repeats.raise(partition, batch.nextOffset);
      return { until: this.#pause(partition, error) };
    }
    if (!batch.alive()) return false;
    try {
      await this.#options.commit(batch);
    } catch (error) {
      this.repeats.raise(partition, batch.nextOffset);
      throw error;
    }
    return true;
  }

  async #process(batch: Batch): Promise<void> {
    const { clock, metrics } = this.#options.ports;
    const judged = await this.#judge(batch);
    const receipts = this.#ofKnownOrgs(judged.receipts);
    const startedMono = clock.monoMs();
    const { acked, inFlight } = await this.#ack(batch.partition, receipts);
    await Promise.all(
      inFlight.map(({ oid, epoch, nowMs, entries }) => waitForClaims(this.#options.ports, oid, epoch, nowMs, entries)),
    );
    if (acked.length > 0 && this.#isTooOld(startedMono)) throw new Error('acknowledgements are older than two leases');
    this.#settle(acked);
    const toReport = this.#withoutKnown(batch.partition, acked);
    await this.#write(batch.partition, judged, toReport);
    if (this.#isTooOld(startedMono)) await this.#verify(batch.partition, receipts);
    for (const { word } of toReport) if (word.word === 'first') metrics.acked(word.state, 1);
  }

  async #judge({ records }: Batch): Promise<Judged> {
    const { accepted, deadLetters } = await judgeBatch(this.#options.ports, 'SensorEvent', records, judgeSensorEvent);
    return {
      receipts: accepted.flatMap((answer) => ('receipt' in answer ? [answer.receipt] : [])),
      delivered: accepted.flatMap((answer) => ('delivered' in answer ? [answer.delivered] : [])),
      deadLetters,
    };
  }

  #ofKnownOrgs(receipts: Receipt[]): Receipt[] {
    const known = new Set(this.#options.ports.orgs.table.oids());
    return receipts.filter(({ oid }) => known.has(oid));
  }

  /** Acknowledges all receipts, or throws. */
  async #ack(partition: number, receipts: Receipt[]): Promise<AckResult> {
    const orgPartitions = this.#options.orgPartitionsOf(partition);
    const missing = [...new Set(receipts.map(({ oid }) => oid))].filter((oid) => !orgPartitions.get(oid)?.fencingToken);
    if (missing.length > 0) throw new NotNow(missing, 'the org partition is being taken over');
    const result = await this.#askRedis(orgPartitions, receipts);
    for (const { orgPartition, fencingToken, why } of result.refused)
      if (why !== 'away' && orgPartition.fencingToken === fencingToken) this.#options.refused(orgPartition, why);
    const [first] = result.refused;
    if (!first) return result;
    throw new NotNow(
      result.refused.map(({ orgPartition }) => orgPartition.oid),
      first.why,
    );
  }

  async #askRedis(orgPartitions: Map<string, OrgPartition>, receipts: Receipt[]): Promise<AckResult> {
    if (receipts.length === 0) return { acked: [], inFlight: [], refused: [] };
    const parts = toAckParts(orgPartitions, receipts);
    return readAckAnswers(parts, await this.#options.ports.projection.ack(parts.map(({ request }) => request)));
  }

  /** Redis may have been replaced since, by one without the acknowledgements. */
  #isTooOld(startedMono: number): boolean {
    const { clock, config } = this.#options.ports;
    return clock.monoMs() - startedMono > 2 * config.CLAIM_LEASE_MS;
  }

  #settle(acked: Acked[]): void {
    for (const { receipt, orgPartition } of acked) {
      const sensor = orgPartition.sensors.get(receipt.sid);
      const task = this.#options.task(receipt.oid, receipt.taskId);
      if (sensor && task) settle(task, sensor);
    }
  }

  /** Without repeats whose event is certainly on the log. */
  #withoutKnown(partition: number, acked: Acked[]): Acked[] {
    const below = this.repeats.below(partition);
    return acked.filter(
      ({ word, receipt }) => word.word === 'first' || (word.word === 'repeat' && receipt.offset < below),
    );
  }

  async #write(partition: number, { delivered, deadLetters }: Judged, toReport: Acked[]): Promise<void> {
    const { outbox } = this.#options.ports;
    const events = [...toReport.flatMap((ack) => settledEvent(ack) ?? []), ...this.#onDelivered(partition, delivered)];
    await outbox.taskEvents(events);
    await writeDeadLetters(this.#options.ports, deadLetters);
  }

  /** TASK_DELIVERED for tasks that are pending. Also remembers that the sensor confirms deliveries. */
  #onDelivered(partition: number, delivered: Delivered[]): EpochEvent[] {
    return delivered.flatMap((delivery) => {
      const orgPartition = this.#options.orgPartitionsOf(partition).get(delivery.oid);
      if (!orgPartition || !this.#options.task(delivery.oid, delivery.taskId)) return [];
      const sensor = orgPartition.sensors.get(delivery.sid);
      if (sensor && !sensor.confirms) {
        sensor.confirms = true;
        orgPartition.dirtyRows.add(sensor.sid);
      }
      return [deliveredEvent(delivery, orgPartition.epoch)];
    });
  }

  /** Throws if Redis does not have the acknowledgements any more. */
  async #verify(partition: number, receipts: Receipt[]): Promise<void> {
    const { acked, refused } = await this.#askRedis(this.#options.orgPartitionsOf(partition), receipts);
    if (refused.length > 0 || acked.some(({ word }) => word.word === 'first'))
      throw new Error('Redis lost acknowledgements while their events were written');
  }

  /** How long the partition pauses after a failure. */
  #pause(partition: number, error: unknown): Promise<void> {
    if (error instanceof NotNow) return this.#takenOver(partition, error.oids);
    const { log, clock } = this.#options.ports;
    const failures = (this.#failures.get(partition) ?? 0) + 1;
    this.#failures.set(partition, failures);
    log.warn({ err: error, partition, failures }, 'sensor event batch failed: retrying');
    return clock.delay(retryDelayMs(failures, clock.random()));
  }

  /** Resolves when this process owns the org partitions, or after a while. */
  async #takenOver(partition: number, oids: string[]): Promise<void> {
    const { clock } = this.#options.ports;
    const deadline = clock.monoMs() + TAKEOVER_WAIT_MS;
    const isMissing = (oid: string) => !this.#options.orgPartitionsOf(partition).get(oid)?.fencingToken;
    do await clock.delay(TAKEOVER_POLL_MS);
    while (clock.monoMs() < deadline && oids.some(isMissing));
  }
}

/** Waits until each claim batch is confirmed in the same usable epoch, or its lease is over. If Redis refuses or does not answer,
 *  the lease decides. */
export async function waitForClaims(
  { projection, clock }: { projection: Pick<RolePorts['projection'], 'inFlight'>; clock: RolePorts['clock'] },
  oid: string,
  epoch: string,
  nowMs: number,
  entries: InFlight[],
): Promise<void> {
  const startedMono = clock.monoMs();
  let open = entries;
  for (;;) {
    const elapsed = clock.monoMs() - startedMono;
    open = open.filter(({ untilMs }) => untilMs > nowMs + elapsed);
    if (open.length === 0) return;
    const answer = await projection.inFlight(oid, epoch).catch(() => null);
    if (answer?.ok) {
      const running = new Set(answer.entries.map(({ batch }) => batch));
      open = open.filter(({ batch }) => running.has(batch));
      if (open.length === 0) return;
    }
    await clock.delay(CLAIMS_POLL_MS);
  }
}
