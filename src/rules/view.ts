/** The input of a rule, and the state of one evaluation. */
import { RULE_BOUNDS } from './bounds.ts';
import { RuleFault } from './errors.ts';

/** The parts in which paths start: `routing` and `event` of an event; `cat`, `detect`, `routing` … of a detection. */
export type View = { readonly [part: string]: unknown };

/** The keys of a lookup with their metadata. Undefined if there is no such lookup. */
export type Lookups = (name: string) => Readonly<Record<string, unknown>> | undefined;

/** The context of an event. All rules that evaluate the event share one object; each event has its own. */
export type EventContext = {
  readonly nowMs: number;
  readonly lookups: Lookups;
  /** The name that the `event` filter compares. By default the type of the event. */
  readonly eventType?: string;
  /** Shared by all rules that evaluate the event. Without it only the limit of each rule applies. */
  readonly budget?: EventBudget;
};

/** Remaining units of work (bounds.ts) for one event. */
export type EventBudget = { left: number };

export const newEventBudget = (): EventBudget => ({ left: RULE_BOUNDS.eventWork });

/** A compiled operator. Pure except for what it records in `run`. Throws only RuleFault. */
export type Test = (view: View, run: Run) => boolean;

const NONE: readonly string[] = [];

const TOO_MUCH_FOR_RULE = 'The rule exceeds its work limit on this event.';
export const TOO_MUCH_FOR_EVENT =
  'The rules of the org exceed their joint work limit on one event, so this rule did not finish. ' +
  'Simplify the costly rules, or restrict them to fewer events.';

/** One evaluation of one rule on one event. */
export class Run {
  readonly view: View;
  readonly context: EventContext;
  /** `routing/event_type`, or the name of the report. */
  readonly eventType: string;
  /** Metadata of the key that a lookup found last. Templates read it as `.mtd`. */
  mtd: unknown;
  /** Errors that did not end the evaluation. */
  #errors: Set<string> | undefined;
  #spent = 0;
  readonly #limit: number;

  constructor(view: View, context: EventContext) {
    this.#limit = Math.min(RULE_BOUNDS.work, context.budget?.left ?? RULE_BOUNDS.work);
    this.view = view;
    this.context = context;
    this.eventType = context.eventType ?? eventTypeOf(view);
  }

  get errors(): readonly string[] {
    return this.#errors === undefined ? NONE : [...this.#errors];
  }

  addError(sentence: string): void {
    this.#errors ??= new Set();
    this.#errors.add(sentence);
  }

  /** Units of work so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Call before doing the work: refused work is not counted. Throws a RuleFault above the limit. */
  spend(work: number): void {
    if (this.#spent + work > this.#limit)
      throw new RuleFault(this.#limit === RULE_BOUNDS.work ? TOO_MUCH_FOR_RULE : TOO_MUCH_FOR_EVENT);
    this.#spent += work;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function eventTypeOf(view: View): string {
  const { routing } = view;
  const type = isObject(routing) && Object.hasOwn(routing, 'event_type') ? routing.event_type : undefined;
  return typeof type === 'string' ? type : '';
}
