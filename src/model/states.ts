/**
 * The states of a pair (one task for one sensor), and the one table of what may lead from one to another. Pure.
 *
 * At any time a pair has one state, with a time and a reason. What is stored says sent, done, failed or removed; the rest
 * follows from the task: queued while it is pending, expired or removed after its end. What has an answer keeps it: the first
 * one counts, also when it comes after the task's end, because the command ran.
 */
import type { Delivery, TaskState } from './task.ts';

export type ShownState = 'queued' | 'sent' | 'done' | 'failed' | 'expired' | 'removed';

/** dispatched: an attempt is on the log · taken back: it was claimed, and not sent after all · answered, answered with an error:
 *  by the sensor, or by its being sent where nobody answers · ran out, withdrawn: the task, or its part for this sensor. */
export type Cause = 'dispatched' | 'taken_back' | 'answered' | 'answered_with_error' | 'ran_out' | 'withdrawn';

type Moves = Readonly<Partial<Record<Cause, readonly ShownState[]>>>;

/** What is done when sent stays done, if it was sent, whatever error comes after it. */
const ANSWER: Moves = { answered: ['done'], answered_with_error: ['failed', 'done'] };
const END: Moves = { ran_out: ['expired'], withdrawn: ['removed'] };

/** From each state, by cause, to which. A cause that is not listed changes nothing. */
export const MOVES: Readonly<Record<ShownState, Moves>> = {
  queued: { ...ANSWER, ...END, dispatched: ['sent'], answered_with_error: ['failed'] },
  // A later attempt that is taken back leaves the one before as the last.
  sent: { ...ANSWER, ...END, dispatched: ['sent'], taken_back: ['queued', 'sent'] },
  // Withdrawn by an UNTASK that stood on the log before the expiry, and was applied after it.
  expired: { ...ANSWER, withdrawn: ['removed'] },
  removed: ANSWER,
  done: {},
  failed: {},
};

export const SHOWN_STATES = Object.keys(MOVES) as ShownState[];

/** It may still be sent. */
export const isOpen = (state: ShownState): boolean => MOVES[state].dispatched !== undefined;

/** The sensor has answered, or nothing more is to be heard of it. */
export const isAnswered = (state: ShownState): boolean => Object.keys(MOVES[state]).length === 0;

/** The state of a pair in a task: the task's state, and what is stored of the pair. */
export function stateOf(task: TaskState, delivery: Delivery | undefined): ShownState {
  if (delivery !== undefined && delivery.state !== 'sent') return delivery.state;
  if (task !== 'pending') return task;
  return delivery === undefined || delivery.attempt === 0 ? 'queued' : 'sent';
}

/** How many pairs stand where. */
export const noCounts = (): Record<ShownState, number> =>
  Object.fromEntries(SHOWN_STATES.map((state) => [state, 0])) as Record<ShownState, number>;
