/**
 * Tests that several rules share because their operators have equal JSON. Each runs once for an event, and its work counts for the first
 * rule. Only for rules from JSON: other values can have equal JSON and differ.
 */

import type { EventContext, Test } from '../view.ts';

/** Tests of changed and deleted rules stay until this number is reached. */
const TESTS_MAX = 20_000;

export class SharedTests {
  readonly #byText = new Map<string, Test>();

  /** The test of an operator, or that of an earlier rule with equal JSON. */
  of(node: Readonly<Record<string, unknown>>, test: Test): Test {
    const text = JSON.stringify(node);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= TESTS_MAX) this.#byText.clear();
    const once = oncePerEvent(test);
    this.#byText.set(text, once);
    return once;
  }
}

function oncePerEvent(test: Test): Test {
  let last: EventContext | null = null;
  let result = false;
  return (view, run) => {
    if (view !== run.view) return test(view, run); // inside a `scope`
    if (run.context !== last) {
      result = test(view, run);
      last = run.context;
    }
    return result;
  };
}
