/**
 * Takes claims in Redis, and remembers what Redis answers for each delivery. The rows of the org partitions go in the same
 * pipeline, before the claims: a claim is given by the presence that Redis has.
 */
import type { Clock } from '../../async/clock.ts';
import type { Answer, ClaimAnswer, ClaimRequest, ClaimWord, Projection, Why } from '../../projector/projection.ts';
import type { OrgPartition } from '../org-partition.ts';
import type { Redelivery } from '../redelivery.ts';
import { type Rows, restoreRows, rowsTaken } from '../rows.ts';
import { type Claim, type ClaimBatch, claimRequest, recheckRequest } from './claim-batch.ts';

export type ClaimsOptions = {
  projection: Pick<Projection, 'claim' | 'recheck'>;
  clock: Pick<Clock, 'monoMs'>;
  redelivery: Redelivery;
  /** Redis refused the org partition: its data is lost, fenced, or of another epoch. */
  onRefused(orgPartition: OrgPartition, why: Why): void;
  /** Redis has this version of the org's tasks. */
  onVersion(oid: string, version: number): void;
};

/** `claimed` keep only the claims to send, `idle` have none. `unknown`: Redis did not answer, so it may have taken the claims.
 *  `unwritten`: org partitions whose rows were not written and can be written again. */
export type ClaimResult = {
  claimed: ClaimBatch[];
  idle: ClaimBatch[];
  unknown: ClaimBatch[];
  unwritten: Set<OrgPartition>;
};

export class Claims {
  readonly #options: ClaimsOptions;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** One pipeline: the rows first, then the claims. Rows that were not written are dirty again. */
  async take(claimBatches: ClaimBatch[], rows: Rows[]): Promise<ClaimResult> {
    const requests = claimBatches.map(claimRequest);
    const startedMono = this.#options.clock.monoMs();
    const answers = await this.#options.projection.claim(
      rows.map(({ request }) => request),
      requests,
    );
    const result: ClaimResult = { claimed: [], idle: [], unknown: [], unwritten: new Set() };
    for (const [i, { orgPartition, request }] of rows.entries()) {
      const answer = answers.rows[i] as Answer<object>;
      if (answer.ok) {
        rowsTaken(orgPartition);
        continue;
      }
      restoreRows(orgPartition, request);
      if (answer.why === 'away') result.unwritten.add(orgPartition);
      else this.#refused(orgPartition, request.fencingToken, answer.why);
    }
    for (const [i, claimBatch] of claimBatches.entries()) {
      const answer = answers.claims[i] as ClaimAnswer;
      if (answer.ok) {
        this.#apply(claimBatch, requests[i] as ClaimRequest, answer, startedMono);
        result[claimBatch.claims.length > 0 ? 'claimed' : 'idle'].push(claimBatch);
      } else if (answer.why === 'away') {
        result.unknown.push(claimBatch);
      } else {
        this.#options.redelivery.forget(claimBatch.claims);
        this.#refused(claimBatch.orgPartition, claimBatch.fencingToken, answer.why);
      }
    }
    return result;
  }

  /** Asks Redis again whether old claims still hold, and drops the others. False: refused, or no answer. Then the claim batch stays
   *  in flight for the next owner of the sensors. */
  async recheck(claimBatch: ClaimBatch): Promise<boolean> {
    const { request, byTask } = recheckRequest(claimBatch);
    const startedMono = this.#options.clock.monoMs();
    const answer = await this.#options.projection.recheck(request).catch(() => null);
    if (answer === null) return false;
    if (!answer.ok) {
      if (answer.why !== 'away') this.#refused(claimBatch.orgPartition, claimBatch.fencingToken, answer.why);
      return false;
    }
    const kept = new Set(byTask.flatMap((claims, t) => claims.filter((_, p) => answer.kept[t]?.[p])));
    claimBatch.dropped.push(...claimBatch.claims.filter((claim) => !kept.has(claim)));
    claimBatch.claims = [...kept];
    claimBatch.startedMono = startedMono;
    claimBatch.nowMs = answer.nowMs;
    return true;
  }

  /** Applies the words of a claim: the batch keeps the claims that Redis gave. */
  #apply(claimBatch: ClaimBatch, request: ClaimRequest, answer: ClaimAnswer & { ok: true }, startedMono: number): void {
    this.#options.onVersion(claimBatch.orgPartition.oid, answer.version);
    claimBatch.startedMono = startedMono;
    claimBatch.nowMs = answer.nowMs;
    const byKey = new Map(claimBatch.claims.map((claim) => [`${claim.task.taskId} ${claim.sensor.sid}`, claim]));
    const given: Claim[] = [];
    for (const [t, { taskId, deliveries }] of request.tasks.entries()) {
      for (const [p, { sid }] of deliveries.entries()) {
        const claim = byKey.get(`${taskId} ${sid}`) as Claim;
        if (this.#isGiven(claim, answer.words[t]?.[p] ?? { word: 'gone' }, claimBatch)) given.push(claim);
      }
    }
    claimBatch.claims = given;
  }

  /** Remembers the answer to one claim. Returns whether Redis gave it. */
  #isGiven(claim: Claim, word: ClaimWord, { startedMono, nowMs }: ClaimBatch): boolean {
    const { redelivery } = this.#options;
    switch (word.word) {
      case 'claimed':
        claim.maybeSent = word.again === true || (claim.maybeSent && claim.attempt === word.attempt);
        claim.attempt = word.attempt;
        return true;
      case 'wait':
        redelivery.until(claim, claim.connectionHash, startedMono + Math.max(word.untilMs - nowMs, 1));
        return false;
      case 'settled':
        redelivery.settle(claim);
        return false;
      case 'gone':
        redelivery.forget([claim]);
        return false;
    }
  }

  /** A refusal of an earlier fencing token says nothing: this process has taken the org partition again since. */
  #refused(orgPartition: OrgPartition, fencingToken: string, why: Why): void {
    if (orgPartition.fencingToken === fencingToken) this.#options.onRefused(orgPartition, why);
  }
}
