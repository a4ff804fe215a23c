/**
 * Suppression: how often an action may run in a period. What counts is kept elsewhere; here it is only said under which key,
 * and whether the action runs. Equal keys are shared by all rules and actions of the org; without keys an action counts alone.
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

/** One time that counts: `by` is what it adds. `key` is the same for what is counted together within an org. */
export type Counted = { readonly key: string; readonly by: number };

const KEYS_MAX = 16;
const PERIOD_MAX_MS = 31 * 86_400_000;
/** What one time can add at most: an event may hold numbers that no counter takes. */
const SUM_MAX = Number.MAX_SAFE_INTEGER;

/** Undefined where the action carries none. */
export function parseSuppression(value: unknown, at: string): Suppression | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new RuleError(at, '`suppression` has to be an object.');
  const count = (name: string, fallback: number): number => {
    const given = value[name] ?? fallback;
    if (typeof given !== 'number' || !(given >= 0))
      throw new RuleError(`${at}/${name}`, 'It has to be a number from 0.');
    return given;
  };
  const minCount = count('min_count', 0);
  const maxCount = count('max_count', Number.POSITIVE_INFINITY);
  const { period, is_global: isGlobal = false, keys = [], count_path: countPath } = value;
  const periodMs = typeof period === 'string' ? parseGoDuration(period) : null;
  if (periodMs === null || periodMs < 1 || periodMs > PERIOD_MAX_MS)
    throw new RuleError(`${at}/period`, '`period` has to be a duration such as 90s, 1h or 24h, of at most 744h.');
  if (typeof isGlobal !== 'boolean') throw new RuleError(`${at}/is_global`, 'It has to be true or false.');
  if (!Array.isArray(keys) || keys.length > KEYS_MAX || !keys.every((key) => typeof key === 'string'))
    throw new RuleError(`${at}/keys`, `It has to be a list of at most ${KEYS_MAX} templates.`);
  return {
    minCount,
    // From the n-th time on at least once, whatever the maximum says.
    maxCount: Math.max(maxCount, minCount),
    periodMs,
    isGlobal,
    keys: keys.map((key: string, index) => parseTemplate(key, `${at}/keys/${index}`)),
    countPath: countPath === undefined || countPath === null ? undefined : readPath(countPath, `${at}/count_path`),
  };
}

function readPath(value: unknown, at: string): Path {
  const path = typeof value === 'string' ? parsePath(value) : null;
  if (path === null) throw new RuleError(at, 'It has to be a path.');
  return path;
}

/** `action` names rule and action, for those without keys. */
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

/** Whether the action runs, `before` being the count of the period before this time. */
export const runsNow = ({ minCount, maxCount }: Suppression, before: number, by: number): boolean =>
  before + by >= minCount && before < maxCount;
