/**
 * The rights that the actions of a rule require. A rule is a command, so storing or enabling it requires the same rights as the command
 * itself. Rules that only report require none.
 */
import { isObject } from '../view.ts';
import { rightOf } from './actions.ts';

/** `at`: the path of the action in the rule. */
export type RequiredRight = { readonly at: string; readonly action: string; readonly right: string };

/** Throws nothing, for any data. Faulty actions count too, because a later version may run them. */
export function requiredRights({ respond }: Readonly<Record<string, unknown>>): RequiredRight[] {
  if (!Array.isArray(respond)) return [];
  return respond.flatMap((value: unknown, index) => {
    const action = isObject(value) && typeof value.action === 'string' ? value.action : '';
    const right = rightOf(action);
    return right === null ? [] : [{ at: `respond/${index}`, action, right }];
  });
}

/** The error of an action whose right was not checked because an earlier version stored the rule. */
export const notAllowed = (right: string): string =>
  `This action does not run: the right ${right} was not checked when the rule was stored. Store the rule again with a key that has it.`;
