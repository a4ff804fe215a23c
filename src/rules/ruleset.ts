/**
 * The rules of one org, by the events that they see: an event meets those that name it and those that name none, and its time
 * does not grow with the rest. In the order of their names.
 */
import type { Rule } from './rule.ts';

export type NamedRule = Rule & {
  readonly name: string;
  /** The hive that keeps it: the `source` of its detections. */
  readonly hive: string;
  /** What its author had when it was stored; actions run with these alone. */
  readonly rights: readonly string[];
  /** Unix ms from which on it does not run. */
  readonly expiresAtMs: number | undefined;
};

type Seen = { readonly byEvent: ReadonlyMap<string, readonly NamedRule[]>; readonly always: readonly NamedRule[] };

export class Ruleset {
  readonly #edr: Seen;
  readonly #detection: Seen;
  readonly size: number;

  constructor(rules: readonly NamedRule[]) {
    const ordered = [...rules].sort((left, right) => (left.name < right.name ? -1 : Number(left.name > right.name)));
    this.size = rules.length;
    this.#edr = index(ordered.filter(({ detect }) => detect.target === 'edr'));
    this.#detection = index(ordered.filter(({ detect }) => detect.target === 'detection'));
  }

  /** Rules that may match an event of that type. */
  forEvent(eventType: string): readonly NamedRule[] {
    return this.#edr.byEvent.get(eventType) ?? this.#edr.always;
  }

  /** Rules that may match a report of that name. */
  forDetection(cat: string): readonly NamedRule[] {
    return this.#detection.byEvent.get(cat) ?? this.#detection.always;
  }
}

function index(rules: readonly NamedRule[]): Seen {
  const names = new Set(rules.flatMap(({ detect }) => detect.events ?? []));
  const always = rules.filter(({ detect }) => detect.events === undefined);
  const byEvent = new Map<string, NamedRule[]>([...names].map((name) => [name, []]));
  for (const rule of rules) {
    for (const name of new Set(rule.detect.events ?? names)) byEvent.get(name)?.push(rule);
  }
  return { byEvent, always };
}
