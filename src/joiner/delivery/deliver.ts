/**
 * Delivers due pairs: claim -> check locally -> produce dispatches -> produce TASK_SENT -> confirm. Many pairs a round trip.
 *
 *  crash after claim     the batch stays in flight; the next owner of the sensors sends the same attempt, same dispatch_id
 *  crash after produce   the same: a copy with the same dispatch_id
 *  crash after TASK_SENT the same, and TASK_SENT with the same event_id
 *  produce fails         checked again before each further try; given up, the batch is left in flight and taken up after its lease.
 *                        What is dropped meanwhile counts as sent: it may be on the log
 *  TASK_SENT fails       told again, and nothing is dispatched anew
 *
 * Between the last check and the append no check is possible: such late appends carry an old `dispatched_at`.
 */
import type { Clock } from '../../async/clock.ts';
import { hashOf } from '../../model/ids.ts';
import { backoffMs } from '../../model/task.ts';
import type { RolePorts } from '../../ports.ts';
import type { OrgPartition } from '../org-partition.ts';
import { Redelivery } from '../redelivery.ts';
import type { RedeliverySchedule } from '../redelivery-schedule.ts';
import { AttemptEvents } from './attempt-events.ts';
import { Claim, type ClaimsOptions, type Rows } from './claim.ts';
import {
  type ClaimBatch,
  confirmRequest,
  type Delivery,
  type Due,
  fitting,
  isHeld,
  nextPipeline,
  takenUp,
} from './claim-batch.ts';
import { Confirm } from './confirm.ts';
import { dueAt } from './dispatch.ts';
import { Produce } from './produce.ts';
import { ProduceWindow } from './produce-window.ts';

/** What was dropped directly before the produce is looked at again after this long. */
const RETRY_MS = 500;
/** A batch that was left in flight is taken up so long after the end of its lease. */
const AFTER_LEASE_MS = 50;

export type DeliverOptions = Pick<ClaimsOptions, 'onRefused' | 'onVersion'> & {
  ports: Pick<RolePorts, 'config' | 'log' | 'clock' | 'outbox' | 'projection' | 'metrics'>;
  schedule: RedeliverySchedule;
};

type Left = { atMono: number; claimBatch: ClaimBatch };

/** What could not be done. Pairs come again by themselves, rows have to be given again. */
export type Undone = { deliveries: boolean; rows: Set<OrgPartition> };

export class Deliver {
  readonly #ports: DeliverOptions['ports'];
  readonly #clock: Clock;
  readonly #redelivery: Redelivery;
  readonly #claims: Claim;
  readonly #produceWindow: ProduceWindow;
  readonly #sender: Produce;
  readonly #attemptEvents: AttemptEvents;
  readonly #confirms: Confirm;
  /** Flights that were left, by the time at which they are taken up. */
  #left: Left[] = [];
  readonly #process: string;
  #sequence = 0;

  constructor({ ports, schedule, onRefused, onVersion }: DeliverOptions) {
    const { clock, config, log, outbox, projection } = ports;
    this.#ports = ports;
    this.#clock = clock;
    this.#process = hashOf('process', process.pid, clock.random()).slice(0, 6);
    this.#redelivery = new Redelivery(schedule);
    this.#claims = new Claim({ projection, clock, redelivery: this.#redelivery, onRefused, onVersion });
    this.#produceWindow = new ProduceWindow(config.CLAIM_LEASE_MS);
    this.#sender = new Produce({ ports, claims: this.#claims, produceWindow: this.#produceWindow });
    this.#attemptEvents = new AttemptEvents(outbox, log);
    this.#confirms = new Confirm(projection, log);
  }

  /** Writes the rows, and sends what is due of `pairs`; resolves when all of it is confirmed, dropped or left in flight. */
  async deliver(deliveries: readonly Due[], rows: Rows[] = []): Promise<Undone> {
    const undone: Undone = { deliveries: false, rows: new Set() };
    const newBatch = (orgPartition: OrgPartition) =>
      `${orgPartition.partition}:${orgPartition.fencingToken}:${this.#process}${++this.#sequence}`;
    let from = 0;
    let pending = rows;
    do {
      const now = this.#clock.monoMs();
      const { claimBatches, next } = nextPipeline(deliveries, from, this.#produceWindow.bytes, now, newBatch);
      this.#hold(claimBatches);
      if (claimBatches.length > 0 || pending.length > 0) await this.#pipeline(claimBatches, pending, undone);
      pending = [];
      from = next;
    } while (from < deliveries.length);
    return undone;
  }

  /** To be called often: tells again what could not be told, and takes up what was left in flight, as far as it `mayGo`. */
  async resume(mayGo: (due: Due) => boolean): Promise<void> {
    void this.#tellAgain(); // the broker may take long over it
    await this.#confirms.retry();
    const now = this.#clock.monoMs();
    // A seat that is not live claims all that is due when it is: until then its batches have to stay in flight.
    const isDue = ({ atMono, claimBatch }: Left): boolean =>
      atMono <= now && (claimBatch.orgPartition.live || !isHeld(claimBatch));
    const { due = [], later = [] } = Object.groupBy(this.#left, (left) => (isDue(left) ? 'due' : 'later'));
    this.#left = later;
    // Of a seat that is not ours any more, the next owner takes them up.
    let open = due.flatMap(({ claimBatch }) => (isHeld(claimBatch) ? [takenUp(claimBatch, now, mayGo)] : []));
    while (open.length > 0) {
      const pipeline = fitting(open, this.#produceWindow.bytes);
      await this.#takeUp(pipeline);
      open = open.slice(pipeline.length);
    }
  }

  /** Under the name that they had: whatever Redis has heard of them, one batch is in flight, and one confirmation ends it. */
  async #takeUp(claimBatches: ClaimBatch[]): Promise<void> {
    const asked = claimBatches.map(({ deliveries }) => deliveries);
    this.#hold(claimBatches);
    const { claimed, idle, unknown } = await this.#claims.ask(claimBatches, []);
    this.#leave(unknown);
    for (const [i, claimBatch] of claimBatches.entries()) {
      const taken = new Set(claimBatch.deliveries);
      claimBatch.dropped.push(...(asked[i] as Delivery[]).filter((delivery) => !taken.has(delivery)));
    }
    await Promise.all([this.#end(idle), this.#send(claimed)]);
  }

  /** Batches of an owner before, whose pairs have been claimed anew. */
  async clear(oid: string, epoch: string, batches: string[]): Promise<void> {
    await this.#confirms.tell(batches.map((batch) => ({ oid, epoch, batch, tasks: [] })));
  }

  async #pipeline(claimBatches: ClaimBatch[], rows: Rows[], undone: Undone): Promise<void> {
    const { claimed, unknown, unwritten } = await this.#claims.ask(claimBatches, rows);
    for (const orgPartition of unwritten) undone.rows.add(orgPartition);
    if (unknown.length > 0) undone.deliveries = true;
    this.#leave(unknown);
    await this.#send(claimed);
  }

  /** Until Redis has answered, no second claim of these pairs is sent. */
  #hold(claimBatches: ClaimBatch[]): void {
    const leaseEnd = this.#clock.monoMs() + this.#ports.config.CLAIM_LEASE_MS;
    for (const claimBatch of claimBatches)
      for (const delivery of claimBatch.deliveries) this.#redelivery.hold(delivery, delivery.connectionHash, leaseEnd);
  }

  async #send(claimed: ClaimBatch[]): Promise<void> {
    const { sent, empty, left } = await this.#sender.send(claimed);
    this.#leave(left);
    await Promise.all([this.#end(empty), this.#afterProduce(sent)]);
  }

  async #afterProduce(claimBatches: ClaimBatch[]): Promise<void> {
    if (claimBatches.length === 0) return;
    const { metrics } = this.#ports;
    const nowMs = this.#clock.nowMs();
    const all = claimBatches.flatMap((claimBatch) =>
      claimBatch.deliveries.map((delivery) => ({ claimBatch, delivery })),
    );
    for (const { delivery } of all) if (delivery.attempt === 1) metrics.dispatchLatency(nowMs - dueAt(delivery));
    metrics.dispatched(all.length, all.filter(({ delivery }) => delivery.attempt > 1).length);
    await this.#end(claimBatches);
  }

  /** What flights have come to is told, and then they are over. */
  async #end(claimBatches: ClaimBatch[]): Promise<void> {
    if (claimBatches.length === 0) return;
    const told = await this.#attemptEvents.tell(claimBatches);
    if (told === 'told') return this.#over(claimBatches);
    for (const claimBatch of claimBatches) {
      for (const delivery of claimBatch.deliveries) {
        delivery.maybeSent = true;
        // Of a seat that was taken anew meanwhile nobody would bring the pair up again.
        if (told === 'later' && isHeld(claimBatch))
          this.#redelivery.hold(delivery, delivery.connectionHash, Number.POSITIVE_INFINITY);
      }
    }
    if (told === 'never') this.#leave(claimBatches);
  }

  async #tellAgain(): Promise<void> {
    await this.#over(await this.#attemptEvents.again());
  }

  async #over(claimBatches: ClaimBatch[]): Promise<void> {
    const doneMono = this.#clock.monoMs();
    await this.#confirm(claimBatches);
    for (const claimBatch of claimBatches)
      if (isHeld(claimBatch))
        for (const delivery of claimBatch.deliveries) this.#awaitAnswer(claimBatch, delivery, doneMono);
  }

  #awaitAnswer(claimBatch: ClaimBatch, delivery: Delivery, doneMono: number): void {
    const { config } = this.#ports;
    const pause = backoffMs(delivery.attempt, config.REDELIVERY_FIRST_MS, config.REDELIVERY_MAX_MS);
    if (delivery.task.doneWhenSent) this.#redelivery.settle(delivery);
    // It has connected anew meanwhile: then the pair is due now, not after the pause of the connection before.
    else if (delivery.sensor.connectionHash !== delivery.connectionHash)
      this.#redelivery.until(delivery, delivery.sensor.connectionHash, doneMono);
    else this.#redelivery.until(delivery, delivery.connectionHash, Math.max(claimBatch.startedMono + pause, doneMono));
  }

  async #confirm(claimBatches: ClaimBatch[]): Promise<void> {
    await this.#confirms.tell(claimBatches.map(confirmRequest));
    // What was dropped is looked at again soon: what it lacked may have come back meanwhile.
    const again = this.#clock.monoMs() + RETRY_MS;
    for (const delivery of claimBatches.flatMap(({ dropped }) => dropped))
      if (delivery.task.redelivery.get(delivery.sensor)?.connectionHash === delivery.connectionHash)
        this.#redelivery.until(delivery, delivery.sensor.connectionHash, again);
  }

  /** Whether these were claimed or produced is not known: after the lease the same attempts are claimed again. A seat that was
   *  lost, or taken anew, claims all that is due by itself; what it remembers since must stay. */
  #leave(claimBatches: ClaimBatch[]): void {
    const atMono = this.#clock.monoMs() + this.#ports.config.CLAIM_LEASE_MS + AFTER_LEASE_MS;
    for (const claimBatch of claimBatches) {
      if (!isHeld(claimBatch)) continue;
      for (const delivery of claimBatch.deliveries) this.#redelivery.hold(delivery, delivery.connectionHash, atMono);
      this.#left.push({ atMono, claimBatch });
    }
  }
}
