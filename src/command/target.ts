/**
 * The target of a request: one of sid, tag, selector and plat, or none; each becomes a selector. null, "" beside another target, and an
 * empty selector count as a field that is left out. An empty sid, tag or plat alone is refused: a script whose variable is not set does
 * not mean all sensors. Pure; throws ApiError.
 */
import { ApiError } from '../errors.ts';
import { isName } from '../model/ids.ts';
import { platformCode } from '../model/platforms.ts';
import { canonicalSelector } from '../model/task.ts';
import { sidSelector, tagSelector } from '../selector/language/targets.ts';
import { checkSelectorText } from './check.ts';
import { refuseUnstorable } from './reader.ts';

export type TargetFields = {
  sid?: string | null;
  tag?: string | null;
  selector?: string | null;
  /** The name of a platform, from the earliest clients. */
  plat?: string | null;
};

/** `selector` is a checked selector, `*` for all sensors; `given` is false if no field has a value. */
export type Target = { selector: string; given: boolean };

export function readTarget(fields: TargetFields): Target {
  const given = (['sid', 'tag', 'selector', 'plat'] as const).filter((name) => fields[name]);
  if (given.length > 1)
    throw new ApiError('target_ambiguous', `Give one of sid, tag and selector, not ${given.join(' and ')}.`);
  const [name] = given;
  if (name === undefined) {
    refuseEmpty(fields);
    return { selector: '*', given: false };
  }
  const text = fields[name] as string;
  refuseUnstorable(name, text);
  return { selector: TARGETS[name](text), given: true };
}

function refuseEmpty(fields: TargetFields): void {
  const empty = (['sid', 'tag', 'plat'] as const).find((name) => fields[name] === '');
  if (empty === undefined) return;
  const code = empty === 'sid' ? 'sid_invalid' : 'data_invalid';
  throw new ApiError(code, `${empty} is empty: leave it out, or give the selector \`*\` for every sensor.`);
}

const TARGETS = {
  sid: (sid: string): string => {
    if (!isName(sid)) throw new ApiError('sid_invalid', 'sid must be 1 to 128 characters of A-Z a-z 0-9 . _ : -');
    return sidSelector(sid);
  },
  tag: (tag: string): string => checked('tag', tagSelector(tag)),
  selector: (selector: string): string => checked('selector', selector),
  plat: (plat: string): string => {
    if (platformCode(plat) === undefined)
      throw new ApiError('data_invalid', 'plat must be the name of a platform: windows, linux, macos, …');
    return `plat == "${plat}"`;
  },
};

function checked(field: string, selector: string): string {
  const refusal = checkSelectorText(field, selector);
  if (refusal === null) return canonicalSelector(selector);
  const data = refusal.column === undefined ? {} : { column: refusal.column };
  throw new ApiError(refusal.code, refusal.message, { data });
}
