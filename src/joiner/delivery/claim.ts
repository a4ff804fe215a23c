/** Asks Redis for the right to send, pair by pair, and remembers what it answers. */
import type { Clock } from '../../async/clock.ts';
import type {
  Answer,
  ClaimAnswer,
  ClaimRequest,
  ClaimWord,
  Projection,
  SensorRows,
  Why,
} from '../../projector/projection.ts';
import { type OrgPartition, restoreRows, rowsTaken } from '../org-partition.ts';
import type { Redelivery } from '../redelivery.ts';
import { type ClaimBatch, claimRequest, type Delivery, recheckRequest } from './claim-batch.ts';

export type Rows = { orgPartition: OrgPartition; request: SensorRows };

export type ClaimsOptions = {
  projection: Pick<Projection, 'claim' | 'recheck'>;
  clock: Clock;
  redelivery: Redelivery;
  /** The seat was refused: it is lost, fenced, or of an earlier epoch. */
  onRefused(orgPartition: OrgPartition, why: Why): void;
  /** A script answered a version of the tasks that is newer than ours. */
  onVersion(oid: string, version: number): void;
};

export class Claim {
  readonly #options: ClaimsOptions;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /**
   * One trip: the rows first, then the claims. `claimed` flights keep only the pairs to send, `idle` ones have none. Of
   * `unknown` ones Redis did not say whether it has taken them. Rows that were not written are dirty again; `unwritten` names seats that can try anew.
   */
  async ask(
    claimBatches: ClaimBatch[],
    rows: Rows[],
  ): Promise<{ claimed: ClaimBatch[]; idle: ClaimBatch[]; unknown: ClaimBatch[]; unwritten: Set<OrgPartition> }> {
    const requests = claimBatches.map(claimRequest);
    const startedMono = this.#options.clock.monoMs();
    const answers = await this.#options.projection.claim(
      rows.map(({ request }) => request),
      requests,
    );
    const unwritten = new Set<OrgPartition>();
    for (const [i, { orgPartition, request }] of rows.entries()) {
      const answer = answers.rows[i] as Answer<object>;
      if (answer.ok) {
        rowsTaken(orgPartition);
        continue;
      }
      restoreRows(orgPartition, request);
      if (answer.why === 'away') unwritten.add(orgPartition);
      else this.#refused(orgPartition, request.fencingToken, answer.why);
    }
    const found = { claimed: [] as ClaimBatch[], idle: [] as ClaimBatch[], unknown: [] as ClaimBatch[], unwritten };
    for (const [i, claimBatch] of claimBatches.entries()) {
      const answer = answers.claims[i] as ClaimAnswer;
      if (answer.ok) {
        const some = this.#take(claimBatch, requests[i] as ClaimRequest, answer, startedMono);
        found[some ? 'claimed' : 'idle'].push(claimBatch);
      } else if (answer.why === 'away') {
        found.unknown.push(claimBatch);
      } else {
        this.#options.redelivery.forget(claimBatch.deliveries);
        this.#refused(claimBatch.orgPartition, claimBatch.fencingToken, answer.why);
      }
    }
    return found;
  }

  /** Asks anew for what is late, and drops what may not be sent any more. False: refused, or not known. The batch then stays in
   *  flight for whoever owns the sensors next. */
  async again(claimBatch: ClaimBatch): Promise<boolean> {
    const { request, byTask } = recheckRequest(claimBatch);
    const startedMono = this.#options.clock.monoMs();
    const answer = await this.#options.projection.recheck(request).catch(() => null);
    if (answer === null) return false;
    if (!answer.ok) {
      if (answer.why !== 'away') this.#refused(claimBatch.orgPartition, claimBatch.fencingToken, answer.why);
      return false;
    }
    const kept = new Set(byTask.flatMap((deliveries, t) => deliveries.filter((_, p) => answer.kept[t]?.[p])));
    claimBatch.dropped.push(...claimBatch.deliveries.filter((delivery) => !kept.has(delivery)));
    claimBatch.deliveries = [...kept];
    claimBatch.startedMono = startedMono;
    claimBatch.nowMs = answer.nowMs;
    return true;
  }

  /** Reads the words of a claim; answers whether anything is to be sent. */
  #take(
    claimBatch: ClaimBatch,
    request: ClaimRequest,
    answer: ClaimAnswer & { ok: true },
    startedMono: number,
  ): boolean {
    this.#options.onVersion(claimBatch.orgPartition.oid, answer.version);
    claimBatch.startedMono = startedMono;
    claimBatch.nowMs = answer.nowMs;
    const byKey = new Map(
      claimBatch.deliveries.map((delivery) => [`${delivery.task.taskId} ${delivery.sensor.sid}`, delivery]),
    );
    const claimed: Delivery[] = [];
    for (const [t, { taskId, deliveries }] of request.tasks.entries()) {
      for (const [p, { sid }] of deliveries.entries()) {
        const delivery = byKey.get(`${taskId} ${sid}`) as Delivery;
        if (this.#hear(delivery, answer.words[t]?.[p] ?? { word: 'gone' }, claimBatch)) claimed.push(delivery);
      }
    }
    claimBatch.deliveries = claimed;
    return claimed.length > 0;
  }

  #hear(delivery: Delivery, word: ClaimWord, claimBatch: ClaimBatch): boolean {
    const { redelivery } = this.#options;
    switch (word.word) {
      case 'claimed':
        delivery.maybeSent = word.again === true || (delivery.maybeSent && delivery.attempt === word.attempt);
        delivery.attempt = word.attempt;
        return true;
      case 'wait':
        redelivery.until(
          delivery,
          delivery.connectionHash,
          claimBatch.startedMono + Math.max(word.untilMs - claimBatch.nowMs, 1),
        );
        return false;
      case 'settled':
        redelivery.settle(delivery);
        return false;
      case 'gone':
        redelivery.forget([delivery]);
        return false;
    }
  }

  /** A refusal of an earlier token says nothing about the seat: it was taken anew since. */
  #refused(orgPartition: OrgPartition, fencingToken: string, why: Why): void {
    if (orgPartition.fencingToken === fencingToken) this.#options.onRefused(orgPartition, why);
  }
}
