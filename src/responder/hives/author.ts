/** The author of a record: the caller who last stored or enabled it. A rule keeps the author's rights, and its actions run only
 *  with those. Pure. */
import { ApiError } from '../../errors.ts';
import type { Hive, HiveData } from './hives.ts';

/** As the record holds it. `rights`: the rights that the record requires, which the author had when it was stored. */
export type Author = { readonly name: string; readonly rights: readonly string[] };

/** Who writes, and the rights of the API key in the org. */
export type Writer = { readonly by: string; readonly rights: ReadonlySet<string> };

/** Throws `forbidden` with the first right that the data require and the writer lacks. */
export function authorOf(hive: Hive, data: HiveData, { by, rights }: Writer): Author {
  const needs = hive.needs(data);
  const lacking = needs.find(({ right }) => !rights.has(right));
  if (lacking !== undefined)
    throw new ApiError(
      'forbidden',
      `${lacking.at}: The action "${lacking.action}" needs the right ${lacking.right}, which the API key lacks: use a key that has it.`,
      { data: { right: lacking.right, path: lacking.at } },
    );
  return { name: by, rights: [...new Set(needs.map(({ right }) => right))] };
}
