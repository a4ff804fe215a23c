/**
 * Delivers due deliveries: claim → check in memory → produce dispatches → write attempt events → confirm. One pipeline to Redis
 * takes many claims.
 *
 *  crash after the claim      the claim batch stays in flight; the next owner sends the same attempt with the same dispatch_id
 *  crash after the produce    the same: a copy with the same dispatch_id
 *  crash after TASK_SENT      the same, and TASK_SENT with the same event_id
 *  produce fails              each further try checks the claims again. After the last one the batch stays in flight and is resumed
 *                             after its lease. A claim that is dropped meanwhile counts as sent: its attempt may be on the log
 *  attempt events fail        they are written again; nothing is dispatched again
 *
 * Nothing can be checked between the last check and the append: a late append carries an old `dispatched_at`.
 */
import type { Clock } from '../../async/clock.ts';
import { hashOf } from '../../model/ids.ts';
import { backoffMs } from '../../model/task.ts';
import type { RolePorts } from '../../ports.ts';
import type { OrgPartition } from '../org-partition.ts';
import type { Due } from '../org-tasks.ts';
import type { Redelivery } from '../redelivery.ts';
import type { Rows } from '../rows.ts';
import { AttemptEvents } from './attempt-events.ts';
import { Claims, type ClaimsOptions } from './claim.ts';
import {
  type Claim,
  type ClaimBatch,
  confirmRequest,
  firstPipeline,
  isHeld,
  nextPipeline,
  resumed,
} from './claim-batch.ts';
import { Confirm } from './confirm.ts';
import { dueAt } from './dispatch.ts';
import { DispatchProducer } from './produce.ts';
import { ProduceWindow } from './produce-window.ts';

/** A dropped claim is due again after this time. */
const RETRY_MS = 500;
/** A claim batch with an unknown outcome is resumed this long after the end of its lease. */
const AFTER_LEASE_MS = 50;

export type DeliverOptions = Pick<ClaimsOptions, 'onRefused' | 'onVersion' | 'redelivery'> & {
  ports: Pick<RolePorts, 'config' | 'log' | 'clock' | 'outbox' | 'projection' | 'metrics'>;
};

/** What could not be done. Deliveries become due again by themselves; rows have to be passed again. */
export type Undone = { deliveries: boolean; rows: Set<OrgPartition> };

type Unresolved = { atMono: number; claimBatch: ClaimBatch };

export class Deliver {
  readonly #ports: DeliverOptions['ports'];
  readonly #clock: Clock;
  readonly #redelivery: Redelivery;
  readonly #claims: Claims;
  readonly #window: ProduceWindow;
  readonly #producer: DispatchProducer;
  readonly #attemptEvents: AttemptEvents;
  readonly #confirms: Confirm;
  /** Claim batches with an unknown outcome, and when they are resumed. */
  #unresolved: Unresolved[] = [];
  readonly #process: string;
  #sequence = 0;

  constructor({ ports, redelivery, onRefused, onVersion }: DeliverOptions) {
    const { clock, config, log, outbox, projection } = ports;
    this.#ports = ports;
    this.#clock = clock;
    this.#process = hashOf('process', process.pid, clock.random()).slice(0, 6);
    this.#redelivery = redelivery;
    this.#claims = new Claims({ projection, clock, redelivery, onRefused, onVersion });
    this.#window = new ProduceWindow(config.CLAIM_LEASE_MS);
    this.#producer = new DispatchProducer({ ports, claims: this.#claims, window: this.#window });
    this.#attemptEvents = new AttemptEvents(outbox, log);
    this.#confirms = new Confirm(projection, log);
  }

  /** Writes the rows and sends the deliveries that are due. Resolves when each is confirmed, dropped or left in flight. */
  async deliver(deliveries: readonly Due[], rows: Rows[] = []): Promise<Undone> {
    const undone: Undone = { deliveries: false, rows: new Set() };
    const newBatch = (orgPartition: OrgPartition) =>
      `${orgPartition.partition}:${orgPartition.fencingToken}:${this.#process}${++this.#sequence}`;
    let from = 0;
    let pending = rows;
    do {
      const now = this.#clock.monoMs();
      const { claimBatches, next } = nextPipeline(deliveries, from, this.#window.bytes, now, newBatch);
      this.#hold(claimBatches);
      if (claimBatches.length > 0 || pending.length > 0) await this.#pipeline(claimBatches, pending, undone);
      pending = [];
      from = next;
    } while (from < deliveries.length);
    return undone;
  }

  /** Call this often: it repeats attempt events and confirmations that failed, and resumes unresolved claim batches, without the
   *  deliveries that `maySend` refuses. */
  async resume(maySend: (due: Due) => boolean): Promise<void> {
    void this.#retryEvents(); // the broker may take long
    await this.#confirms.retry();
    const now = this.#clock.monoMs();
    // An org partition that is not live claims everything that is due when it goes live. Until then its batches stay in flight.
    const isDue = ({ atMono, claimBatch }: Unresolved): boolean =>
      atMono <= now && (claimBatch.orgPartition.live || !isHeld(claimBatch));
    const { due = [], later = [] } = Object.groupBy(this.#unresolved, (entry) => (isDue(entry) ? 'due' : 'later'));
    this.#unresolved = later;
    // The batches of a lost org partition are resumed by its next owner.
    let open = due.flatMap(({ claimBatch }) => (isHeld(claimBatch) ? [resumed(claimBatch, now, maySend)] : []));
    while (open.length > 0) {
      const pipeline = firstPipeline(open, this.#window.bytes);
      await this.#resume(pipeline);
      open = open.slice(pipeline.length);
    }
  }

  /** A resumed batch keeps its id. Whatever Redis has of it, one batch is in flight, and one confirmation ends it. */
  async #resume(claimBatches: ClaimBatch[]): Promise<void> {
    const asked = claimBatches.map(({ claims }) => claims);
    this.#hold(claimBatches);
    const { claimed, idle, unknown } = await this.#claims.take(claimBatches, []);
    this.#resumeLater(unknown);
    for (const [i, claimBatch] of claimBatches.entries()) {
      const given = new Set(claimBatch.claims);
      claimBatch.dropped.push(...(asked[i] as Claim[]).filter((claim) => !given.has(claim)));
    }
    await Promise.all([this.#finish(idle), this.#produce(claimed)]);
  }

  /** Confirms claim batches of an earlier owner, after their deliveries have been claimed again. */
  async clear(oid: string, epoch: string, batches: string[]): Promise<void> {
    await this.#confirms.send(batches.map((batch) => ({ oid, epoch, batch, tasks: [] })));
  }

  async #pipeline(claimBatches: ClaimBatch[], rows: Rows[], undone: Undone): Promise<void> {
    const { claimed, unknown, unwritten } = await this.#claims.take(claimBatches, rows);
    for (const orgPartition of unwritten) undone.rows.add(orgPartition);
    if (unknown.length > 0) undone.deliveries = true;
    this.#resumeLater(unknown);
    await this.#produce(claimed);
  }

  /** No second claim of these deliveries is sent before Redis has answered. */
  #hold(claimBatches: ClaimBatch[]): void {
    const leaseEnd = this.#clock.monoMs() + this.#ports.config.CLAIM_LEASE_MS;
    for (const { claims } of claimBatches)
      for (const claim of claims) this.#redelivery.hold(claim, claim.connectionHash, leaseEnd);
  }

  async #produce(claimed: ClaimBatch[]): Promise<void> {
    const { sent, empty, unknown } = await this.#producer.send(claimed);
    this.#resumeLater(unknown);
    this.#measure(sent);
    await Promise.all([this.#finish(empty), this.#finish(sent)]);
  }

  #measure(sent: ClaimBatch[]): void {
    if (sent.length === 0) return;
    const { metrics } = this.#ports;
    const nowMs = this.#clock.nowMs();
    const claims = sent.flatMap((claimBatch) => claimBatch.claims);
    for (const claim of claims) if (claim.attempt === 1) metrics.dispatchLatency(nowMs - dueAt(claim));
    metrics.dispatched(claims.length, claims.filter(({ attempt }) => attempt > 1).length);
  }

  /** Writes the attempt events, then confirms. */
  async #finish(claimBatches: ClaimBatch[]): Promise<void> {
    if (claimBatches.length === 0) return;
    const outcome = await this.#attemptEvents.write(claimBatches);
    if (outcome === 'written') return this.#confirm(claimBatches);
    for (const claimBatch of claimBatches) {
      for (const claim of claimBatch.claims) {
        claim.maybeSent = true;
        // If the org partition was taken again meanwhile, nothing would make the delivery due again.
        if (outcome === 'waiting' && isHeld(claimBatch))
          this.#redelivery.hold(claim, claim.connectionHash, Number.POSITIVE_INFINITY);
      }
    }
    if (outcome === 'refused') this.#resumeLater(claimBatches);
  }

  async #retryEvents(): Promise<void> {
    await this.#confirm(await this.#attemptEvents.retry());
  }

  async #confirm(claimBatches: ClaimBatch[]): Promise<void> {
    const doneMono = this.#clock.monoMs();
    await this.#confirms.send(claimBatches.map(confirmRequest));
    this.#retryDropped(claimBatches);
    for (const claimBatch of claimBatches)
      if (isHeld(claimBatch)) for (const claim of claimBatch.claims) this.#scheduleNext(claimBatch, claim, doneMono);
  }

  /** What a dropped claim lacked may come back soon. */
  #retryDropped(claimBatches: ClaimBatch[]): void {
    const again = this.#clock.monoMs() + RETRY_MS;
    for (const claim of claimBatches.flatMap(({ dropped }) => dropped))
      if (claim.task.nextClaims.get(claim.sensor)?.connectionHash === claim.connectionHash)
        this.#redelivery.until(claim, claim.sensor.connectionHash, again);
  }

  #scheduleNext(claimBatch: ClaimBatch, claim: Claim, doneMono: number): void {
    const { config } = this.#ports;
    const pause = backoffMs(claim.attempt, config.REDELIVERY_FIRST_MS, config.REDELIVERY_MAX_MS);
    if (claim.task.doneWhenSent) this.#redelivery.settle(claim);
    // The sensor has connected again meanwhile: the delivery is due now, not after the pause of the earlier connection.
    else if (claim.sensor.connectionHash !== claim.connectionHash)
      this.#redelivery.until(claim, claim.sensor.connectionHash, doneMono);
    else this.#redelivery.until(claim, claim.connectionHash, Math.max(claimBatch.startedMono + pause, doneMono));
  }

  /** Nobody knows whether these were claimed or produced: the same attempts are claimed again after the lease. A lost org partition
   *  is skipped. If it was taken again, it claims everything that is due, and what is remembered since then must stay. */
  #resumeLater(claimBatches: ClaimBatch[]): void {
    const atMono = this.#clock.monoMs() + this.#ports.config.CLAIM_LEASE_MS + AFTER_LEASE_MS;
    for (const claimBatch of claimBatches) {
      if (!isHeld(claimBatch)) continue;
      for (const claim of claimBatch.claims) this.#redelivery.hold(claim, claim.connectionHash, atMono);
      this.#unresolved.push({ atMono, claimBatch });
    }
  }
}
