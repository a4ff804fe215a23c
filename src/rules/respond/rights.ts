/**
 * The rights that the actions of a rule require. A rule is a command, so storing or enabling it requires the same rights as the
 * command itself. Rules that only report require none. Pure.
 */
import { isObject } from '../view.ts';

/** `at`: the place of the action in the rule. */
export type Need = { readonly at: string; readonly action: string; readonly right: string };

const RIGHTS: ReadonlyMap<string, string> = new Map([
  ['task', 'sensor.task'],
  ['extension request', 'sensor.task'],
  ['isolate network', 'sensor.task'],
  ['rejoin network', 'sensor.task'],
  ['add tag', 'sensor.tag'],
  ['remove tag', 'sensor.tag'],
]);

/** By the name of an action; null where it takes none. */
export const rightOf = (action: string): string | null => RIGHTS.get(action) ?? null;

/** What the rule takes, whatever `data` looks like; also for actions that have a fault, since a later version may run them. */
export function needsOf({ respond }: Readonly<Record<string, unknown>>): Need[] {
  if (!Array.isArray(respond)) return [];
  return respond.flatMap((value: unknown, index) => {
    const action = isObject(value) && typeof value.action === 'string' ? value.action : '';
    const right = rightOf(action);
    return right === null ? [] : [{ at: `respond/${index}`, action, right }];
  });
}

/** The error of an action whose right was not checked: an earlier version stored the rule without this check. */
export const notAllowed = (right: string): string =>
  `This action does not run: the right ${right} was not checked when the rule was stored. Store the rule again with a key that has it.`;
