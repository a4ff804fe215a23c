/**
 * The rules of one org, indexed by event type: an event is evaluated only by the rules that name its type and by those that name no type.
 * Rules are ordered by name.
 */
import type { Rule } from './rule.ts';

export type NamedRule = Rule & {
  readonly name: string;
  /** The hive that stores it: the `source` of its detections. */
  readonly hive: string;
  /** Rights of its author when the rule was stored. Actions run only with these. */
  readonly rights: readonly string[];
  /** Unix ms. The rule does not run from then on. */
  readonly expiresAtMs: number | undefined;
};

type RulesByEvent = {
  readonly byEvent: ReadonlyMap<string, readonly NamedRule[]>;
  readonly always: readonly NamedRule[];
};

export class Ruleset {
  readonly #edr: RulesByEvent;
  readonly #detection: RulesByEvent;
  readonly size: number;

  constructor(rules: readonly NamedRule[]) {
    const ordered = [...rules].sort((left, right) => (left.name < right.name ? -1 : Number(left.name > right.name)));
    this.size = rules.length;
    this.#edr = index(ordered.filter(({ detect }) => detect.target === 'edr'));
    this.#detection = index(ordered.filter(({ detect }) => detect.target === 'detection'));
  }

  /** Rules that may match an event of this type. */
  forEvent(eventType: string): readonly NamedRule[] {
    return this.#edr.byEvent.get(eventType) ?? this.#edr.always;
  }

  /** Rules that may match a report of this name. */
  forDetection(cat: string): readonly NamedRule[] {
    return this.#detection.byEvent.get(cat) ?? this.#detection.always;
  }
}

function index(rules: readonly NamedRule[]): RulesByEvent {
  const names = new Set(rules.flatMap(({ detect }) => detect.events ?? []));
  const always = rules.filter(({ detect }) => detect.events === undefined);
  const byEvent = new Map<string, NamedRule[]>([...names].map((name) => [name, []]));
  for (const rule of rules) {
    for (const name of new Set(rule.detect.events ?? names)) byEvent.get(name)?.push(rule);
  }
  return { byEvent, always };
}
