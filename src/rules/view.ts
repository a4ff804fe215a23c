/** What a rule looks at, and what one evaluation carries along. */
import { RULE_BOUNDS } from './bounds.ts';
import { RuleFault } from './errors.ts';

/** The parts that paths start from: `routing` and `event` of an event; cat, detect, routing … of a detection. */
export type View = { readonly [part: string]: unknown };

/** A lookup's keys with their metadata; undefined where there is no such lookup. */
export type Lookups = (name: string) => Readonly<Record<string, unknown>> | undefined;

/** What rules are asked with: one object for all rules that see an event, another one for each event. */
export type Asked = {
  readonly nowMs: number;
  readonly lookups: Lookups;
  /** The name that `event` is compared with; by default that of the event. */
  readonly eventType?: string;
  /** Of the event, shared by all rules that see it; none: each rule has its own bound alone. */
  readonly budget?: EventBudget;
};

/** Work (bounds.ts) that may still be done for one event. */
export type EventBudget = { left: number };

export const newEventBudget = (): EventBudget => ({ left: RULE_BOUNDS.eventWork });

/** A compiled operator. Pure but for what it notes in `run`; throws nothing but a RuleFault. */
export type Test = (view: View, run: Run) => boolean;

const NONE: readonly string[] = [];

const TOO_MUCH_FOR_RULE = 'The rule exceeds its work limit on this event.';
export const TOO_MUCH_FOR_EVENT =
  'The rules of the org exceed their joint work limit on one event, so this rule did not finish. ' +
  'Simplify the costly rules, or restrict them to fewer events.';

/** One evaluation of one rule on one event. */
export class Run {
  readonly view: View;
  readonly asked: Asked;
  /** `routing/event_type`, or the name of the report. */
  readonly eventType: string;
  /** Metadata of the key that a lookup found last: `.mtd` of templates. */
  mtd: unknown;
  /** What went wrong without ending the evaluation. */
  #errors: Set<string> | undefined;
  #spent = 0;
  readonly #most: number;

  constructor(view: View, asked: Asked) {
    this.#most = Math.min(RULE_BOUNDS.work, asked.budget?.left ?? RULE_BOUNDS.work);
    this.view = view;
    this.asked = asked;
    this.eventType = asked.eventType ?? eventTypeOf(view);
  }

  get errors(): readonly string[] {
    return this.#errors === undefined ? NONE : [...this.#errors];
  }

  tell(sentence: string): void {
    this.#errors ??= new Set();
    this.#errors.add(sentence);
  }

  /** Work that was done so far. */
  get spent(): number {
    return this.#spent;
  }

  /** To be called before the work is done: what is refused is not spent. */
  spend(work: number): void {
    if (this.#spent + work > this.#most)
      throw new RuleFault(this.#most === RULE_BOUNDS.work ? TOO_MUCH_FOR_RULE : TOO_MUCH_FOR_EVENT);
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
