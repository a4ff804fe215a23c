/**
 * Suppression: how often an action may run in a period. memory.ts stores the counts; this file computes their keys and decides whether the
 * action runs. All rules and actions of the org share a count with equal keys. Without keys each action has its own count.
 */

import { type Path, parsePath, valuesAt } from '../detect/path.ts';
import { RuleError } from '../errors.ts';
import { parseTemplate, type Template } from '../template/parse.ts';
import { render } from '../template/render.ts';
import { isObject, Run, type View } from '../view.ts';
import { parseGoDuration } from './duration.ts';

export type Suppression = {
  readonly maxCount: number;
  readonly minCount: number;
  readonly periodMs: number;
  readonly isGlobal: boolean;
  readonly keys: readonly Template[];
  readonly countPath: Path | undefined;
};

/** An addition of `by` to the count with this key in the org. */
export type Counted = { readonly key: string; readonly by: number };

const KEYS_MAX = 16;
const PERIOD_MAX_MS = 31 * 86_400_000;
/** Limit on one addition: an event can have numbers that a counter cannot hold. */
const SUM_MAX = Number.MAX_SAFE_INTEGER;

/** Undefined if the action has none. */
export function parseSuppression(value: unknown, at: string): Suppression | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new RuleError(at, '`suppression` must be an object.');
  const count = (name: string, fallback: number): number => {
    const given = value[name] ?? fallback;
    if (typeof given !== 'number' || !(given >= 0))
      throw new RuleError(`${at}/${name}`, `\`${name}\` must be a number of at least 0.`);
    return given;
  };
  const minCount = count('min_count', 0);
  const maxCount = count('max_count', Number.POSITIVE_INFINITY);
  const { period, is_global: isGlobal = false, keys = [], count_path: countPath } = value;
  const periodMs = typeof period === 'string' ? parseGoDuration(period) : null;
  if (periodMs === null || periodMs < 1 || periodMs > PERIOD_MAX_MS)
    throw new RuleError(`${at}/period`, '`period` must be a duration such as 90s, 1h or 24h, of at most 744h.');
  if (typeof isGlobal !== 'boolean') throw new RuleError(`${at}/is_global`, '`is_global` must be true or false.');
  if (!Array.isArray(keys) || keys.length > KEYS_MAX || !keys.every((key) => typeof key === 'string'))
    throw new RuleError(`${at}/keys`, `\`keys\` must be a list of at most ${KEYS_MAX} templates.`);
  return {
    minCount,
    // Above `min_count` the action runs at least once, even if `max_count` is lower.
    maxCount: Math.max(maxCount, minCount),
    periodMs,
    isGlobal,
    keys: keys.map((key: string, index) => parseTemplate(key, `${at}/keys/${index}`)),
    countPath: countPath === undefined || countPath === null ? undefined : readPath(countPath, `${at}/count_path`),
  };
}

function readPath(value: unknown, at: string): Path {
  const path = typeof value === 'string' ? parsePath(value) : null;
  if (path === null) throw new RuleError(at, '`count_path` must be a path.');
  return path;
}

/** `action` identifies rule and action. It is the key if there are no keys. */
export function counted(suppression: Suppression, data: View, sid: string, action: string): Counted {
  const keys = suppression.keys.map((key) => render(key, data, 'show'));
  const scope = suppression.isGlobal ? '' : sid;
  return {
    key: JSON.stringify([scope, suppression.periodMs, ...(keys.length === 0 ? [action] : ['', ...keys])]),
    by: suppression.countPath === undefined ? 1 : sumAt(data, suppression.countPath),
  };
}

function sumAt(data: View, path: Path): number {
  const numbers = valuesAt(data, path, new Run(data, { nowMs: 0, lookups: () => undefined, eventType: '' })).filter(
    (value) => Number.isFinite(value),
  );
  const sum = (numbers as number[]).reduce((total, value) => total + value, 0);
  return Math.min(Math.max(0, sum), SUM_MAX);
}

/** Whether the action runs. `before`: the count of the period before this addition. */
export const runsNow = ({ minCount, maxCount }: Suppression, before: number, by: number): boolean =>
  before + by >= minCount && before < maxCount;
