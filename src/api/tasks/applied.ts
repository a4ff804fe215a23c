/**
 * Waits until the projection has applied what was just written, so that a caller reads its own writes.
 *
 * A command is applied when the org is usable and the position of its partition is beyond it. An UNTASK is complete when the claims that
 * were taken before it are over too: each claim batch that was in flight is gone in the same usable epoch (its dispatches are on the
 * log), or its lease has ended by the clock of Redis. A claim batch that disappears together with its epoch proves nothing: then the
 * whole lease is waited for. Later claims need no wait: the script that takes claims refuses a removed task.
 */

import type { Clock } from '../../async/clock.ts';
import type { LogOffset } from '../../model/records.ts';
import type { Answer, InFlight, OrgStatus, Projection } from '../../projector/projection.ts';
import { SharedPoll } from '../events/shared-poll.ts';
import type { Reads } from '../reads.ts';

type InFlightAnswer = Answer<{ nowMs: number; entries: InFlight[] }>;

/** The delay if a hint is lost. */
const POLL_MS = 20;

/** A timer may fire this much too early by the monotonic clock, but the lease must be over. */
const EARLY_MS = 1;

export class Applied {
  readonly #reads: Pick<Reads, 'status' | 'inFlight'>;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  readonly #status = new Map<string, SharedPoll<OrgStatus | null>>();
  readonly #inFlight = new Map<string, { epoch: string; poll: SharedPoll<InFlightAnswer> }>();
  readonly #unhint: () => void;

  constructor(
    reads: Pick<Reads, 'status' | 'inFlight'>,
    hints: Pick<Projection, 'onHint'>,
    leaseMs: number,
    clock: Clock,
  ) {
    this.#reads = reads;
    this.#leaseMs = leaseMs;
    this.#clock = clock;
    this.#unhint = hints.onHint((oid) => this.#status.get(oid)?.soon());
  }

  stop(): void {
    this.#unhint();
  }

  /** The epoch in which all records were applied (presence: folded by the owner and written to Redis); null if that takes longer than
   *  `boundMs`. Never rejects: the records are on the log, even if Redis fails. */
  async applied(
    oid: string,
    logOffsets: readonly LogOffset[],
    boundMs: number,
    log: 'commands' | 'presence' = 'commands',
  ): Promise<string | null> {
    const deadlineMs = this.#clock.monoMs() + boundMs;
    for (;;) {
      const status = await this.#before(deadlineMs, this.#statusOf(oid).next());
      if (status?.usable && logOffsets.every((logOffset) => isApplied(status, logOffset, log))) return status.epoch;
      if (this.#clock.monoMs() >= deadlineMs) return null;
    }
  }

  /** Resolves when no dispatch of a task that was removed before this call can still be written to the log. */
  async claimsOver(oid: string, epoch: string): Promise<void> {
    const first = await this.#inFlightNow(oid, epoch);
    if (first === null) return this.#clock.delay(this.#leaseMs + EARLY_MS);
    const seenMs = this.#clock.monoMs();
    // By our own clock, starting after the answer, so not earlier than the end of the lease by the clock of Redis.
    const overMs = new Map(first.entries.map(({ batch, untilMs }) => [batch, seenMs + untilMs - first.nowMs]));
    while (overMs.size > 0) {
      const now = await this.#inFlightNow(oid, epoch);
      if (now === null)
        return this.#clock.delay(
          Math.max(...[...overMs.values()].map((at) => at - this.#clock.monoMs()), 0) + EARLY_MS,
        );
      const running = new Set(now.entries.map(({ batch }) => batch));
      for (const [batch, at] of overMs) if (!running.has(batch) || this.#clock.monoMs() >= at) overMs.delete(batch);
    }
  }

  /** null: Redis does not answer, or not from this epoch. */
  async #inFlightNow(oid: string, epoch: string): Promise<{ nowMs: number; entries: InFlight[] } | null> {
    try {
      const answer = await this.#inFlightOf(oid, epoch).next();
      return answer.ok ? answer : null;
    } catch {
      return null;
    }
  }

  /** The answer before the deadline; null if there is none, or if it fails. After a failure the poll repeats for the callers that still
   *  wait. */
  async #before<T>(deadlineMs: number, answer: Promise<T>): Promise<T | null> {
    const over = Promise.withResolvers<null>();
    const callOff = this.#clock.after(Math.max(0, deadlineMs - this.#clock.monoMs()), () => over.resolve(null));
    try {
      return await Promise.race([answer.catch(() => null), over.promise]);
    } finally {
      callOff();
    }
  }

  #statusOf(oid: string): SharedPoll<OrgStatus | null> {
    let poll = this.#status.get(oid);
    if (poll === undefined) {
      poll = new SharedPoll(this.#clock, async () => (await this.#reads.status([oid]))[0] ?? null, POLL_MS);
      this.#status.set(oid, poll);
    }
    return poll;
  }

  #inFlightOf(oid: string, epoch: string): SharedPoll<InFlightAnswer> {
    let known = this.#inFlight.get(oid);
    if (known === undefined || known.epoch !== epoch) {
      known = { epoch, poll: new SharedPoll(this.#clock, () => this.#reads.inFlight(oid, epoch), POLL_MS) };
      this.#inFlight.set(oid, known);
    }
    return known.poll;
  }
}

const isApplied = (status: OrgStatus, { partition, offset }: LogOffset, log: 'commands' | 'presence'): boolean =>
  ((log === 'commands' ? status.commandOffsets : status.presenceOffsets).get(partition) ?? 0) > offset;
