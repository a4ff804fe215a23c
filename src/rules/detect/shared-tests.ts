/**
 * Tests that several rules have in common, by how they are written: each is run once for an event, however many rules ask.
 * What it costs counts for the rule that asks first. Only for rules that were JSON: other data can read alike and differ.
 */

import type { Asked, Test } from '../view.ts';
import { UNSHARED } from './operators/table.ts';

/** Tests of rules that were changed or deleted stay until then. */
const KEPT_MAX = 20_000;

export class SharedTests {
  readonly #byText = new Map<string, Test>();

  /** The test of an operator as written, or the one that an earlier rule has for it. */
  of(node: Readonly<Record<string, unknown>>, test: Test): Test {
    if (UNSHARED.has(String(node.op))) return test;
    const text = JSON.stringify(node);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= KEPT_MAX) this.#byText.clear();
    const once = oncePerEvent(test);
    this.#byText.set(text, once);
    return once;
  }
}

function oncePerEvent(test: Test): Test {
  let last: Asked | null = null;
  let answer = false;
  return (view, run) => {
    if (view !== run.view) return test(view, run); // inside a `scope`
    if (run.asked !== last) {
      answer = test(view, run);
      last = run.asked;
    }
    return answer;
  };
}
