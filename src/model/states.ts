/**
 * The states of a task and of a delivery (one task for one sensor), and the one table of a delivery's transitions. Pure.
 *
 * A delivery has one state at a time. Redis stores some states; the others follow from the task: queued while the task is pending,
 * expired or removed after its end. The first receipt counts and stays, even if it comes after the end of the task, because
 * the command ran.
 */
import type { TaskEventType } from './records.ts';

/** A task is pending until it expires or is removed. */
export type TaskState = 'pending' | 'expired' | 'removed';

/** dispatched: an attempt is on the log · taken_back: an attempt was claimed and certainly not sent · answered,
 *  answered_with_error: the sensor sent a receipt, or the delivery is done when sent · ran_out: the task expired · withdrawn: an
 *  UNTASK withdrew the task, or its delivery to this sensor. */
export type Cause = 'dispatched' | 'taken_back' | 'answered' | 'answered_with_error' | 'ran_out' | 'withdrawn';

type Row = { isStored: boolean; moves: Readonly<Partial<Record<Cause, readonly string[]>>> };

/** A delivery that was done when sent stays done, even if an error follows. */
const ANSWER = { answered: ['done'], answered_with_error: ['failed', 'done'] } as const;
const END = { ran_out: ['expired'], withdrawn: ['removed'] } as const;

/** Each state: whether Redis stores it, and where each cause leads. A cause that is not listed changes nothing. */
const STATES = {
  queued: {
    isStored: false,
    moves: { ...ANSWER, ...END, dispatched: ['sent'], answered_with_error: ['failed'] },
  },
  // When a later attempt is taken back, the attempt before it is the last one again.
  sent: { isStored: true, moves: { ...ANSWER, ...END, dispatched: ['sent'], taken_back: ['queued', 'sent'] } },
  // withdrawn: the UNTASK was on the log before the expiry and was applied after it.
  expired: { isStored: false, moves: { ...ANSWER, withdrawn: ['removed'] } },
  removed: { isStored: true, moves: ANSWER },
  done: { isStored: true, moves: {} },
  failed: { isStored: true, moves: {} },
} as const satisfies Readonly<Record<string, Row>>;

export type DeliveryState = keyof typeof STATES;

/** The state that a task event puts its delivery into (without a sid: its task); null: the state stays. */
export const STATE_AFTER = {
  ADD_TASK: 'queued',
  TASK_SENT: 'sent',
  TASK_DELIVERED: null,
  TASK_DONE: 'done',
  TASK_FAILURE: 'failed',
  TASK_EXPIRED: 'expired',
  TASK_REMOVED: 'removed',
} as const satisfies Readonly<Record<TaskEventType, DeliveryState | null>>;

/** The states that Redis stores. */
export type StoredState = {
  [S in DeliveryState]: (typeof STATES)[S]['isStored'] extends true ? S : never;
}[DeliveryState];

type Moves = Readonly<Partial<Record<Cause, readonly DeliveryState[]>>>;

export const DELIVERY_STATES = Object.keys(STATES) as DeliveryState[];

/** From each state, by cause, to which states. */
export const MOVES = Object.fromEntries(DELIVERY_STATES.map((state) => [state, STATES[state].moves])) as Readonly<
  Record<DeliveryState, Moves>
>;

/** The delivery can still be sent. */
export const isOpen = (state: DeliveryState): boolean => MOVES[state].dispatched !== undefined;

/** The delivery is done or failed: no cause changes it. */
export const isAnswered = (state: DeliveryState): boolean => Object.keys(MOVES[state]).length === 0;

/** The state of a delivery, from the state of its task and what Redis stores of the delivery. */
export function stateOf(
  task: TaskState,
  delivery: Readonly<{ state: StoredState; attempt: number }> | undefined,
): DeliveryState {
  if (delivery !== undefined && delivery.state !== 'sent') return delivery.state;
  if (task !== 'pending') return task;
  return delivery === undefined || delivery.attempt === 0 ? 'queued' : 'sent';
}

/** A count of 0 for each state. */
export const noCounts = (): Record<DeliveryState, number> =>
  Object.fromEntries(DELIVERY_STATES.map((state) => [state, 0])) as Record<DeliveryState, number>;
