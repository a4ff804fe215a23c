/** Events and short forms for tests of rules. */
import { compileDetect } from '../../src/rules/detect/compile-detect.ts';
import { evaluate, type Verdict } from '../../src/rules/detect/evaluate.ts';
import { RuleError } from '../../src/rules/errors.ts';
import type { View } from '../../src/rules/view.ts';

/** Sunday 2026-02-01, 12:30 UTC. */
export const NOW = Date.UTC(2026, 1, 1, 12, 30);

export const eventOf = (event: unknown, routing: Record<string, unknown> = {}): View => ({
  routing: {
    oid: '8cbe27f4-0000-4000-8000-138cd51389cd',
    sid: 'sensor-1',
    event_type: 'RECEIPT',
    event_time: NOW - 1000,
    plat: 0x10000000,
    arch: 2,
    tags: ['production'],
    ...routing,
  },
  event,
});

type Lookups = Record<string, Record<string, unknown>>;

export const verdict = (rule: unknown, view: View, lookups: Lookups = {}): Verdict =>
  evaluate(compileDetect(rule), view, { nowMs: NOW, lookups: (name) => lookups[name] });

export const matches = (rule: unknown, view: View, lookups?: Lookups): boolean => verdict(rule, view, lookups).match;

/** The path of the RuleError, or undefined. */
export function faultOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof RuleError) return error.path;
    throw error;
  }
}
