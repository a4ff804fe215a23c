/**
 * Waits until the projection has caught up with what was just written, so that a caller reads its own writes.
 *
 * A command is applied when the org is usable and the next offset of its partition is beyond it. An UNTASK counts only when,
 * after that, the claims that were taken before are over as well: each entry seen in flight is gone in the same usable
 * epoch (its dispatches are on the log), or its lease has ended by the clock of Redis. An entry that vanishes together with
 * its epoch says nothing: then the lease is waited out. Nobody waits for entries that come later: the script that takes
 * claims refuses a removed task already.
 */

import type { Clock } from '../../async/clock.ts';
import type { LogOffset } from '../../model/records.ts';
import type { Answer, InFlight, OrgStatus, Projection } from '../../projector/projection.ts';
import { SharedPoll } from '../events/shared-poll.ts';
import type { Reads } from '../reads.ts';

type InFlightAnswer = Answer<{ nowMs: number; entries: InFlight[] }>;

/** A lost hint costs this much. */
const POLL_MS = 20;

/** A timer may run out so much before its time by the monotonic clock, and a lease that is waited out has to be over. */
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

  /** The epoch in which all places were found applied (of presence: folded in by the owner and written to Redis); null where
   *  that took longer than `boundMs`. Never rejects: the records are on the log, whatever Redis does. */
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

  /** Resolves when no dispatch of a task that was removed before this call can still be on its way to the log. */
  async claimsOver(oid: string, epoch: string): Promise<void> {
    const first = await this.#inFlightNow(oid, epoch);
    if (first === null) return this.#clock.delay(this.#leaseMs + EARLY_MS);
    const seenMs = this.#clock.monoMs();
    // By our own clock, from after the answer came: not earlier than the end of the lease by the clock of Redis.
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

  /** What the question gives before the deadline; null where it gives nothing, or fails. A failing Redis is asked again
   *  after the gap of the poll, by whoever still waits. */
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
