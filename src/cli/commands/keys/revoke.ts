/** `keys revoke`: revokes a key. Processes learn it from the log. */
import { cliError, usageError } from '../../errors.ts';
import { type Io, prettyJson } from '../../io.ts';
import { OPERATOR, withOperator } from '../../kafka/operator.ts';
import type { JsonFlag } from '../../options.ts';
import { findKeys, type KeyPlace, orgsOfFlags } from './find.ts';

export async function revokeKey(name: string, flags: KeyPlace & JsonFlag, io: Io): Promise<void> {
  if (orgsOfFlags(flags).length === 0 && flags.uid === undefined)
    throw usageError('The org is missing.', 'Use --oid or --orgs, or --uid for all orgs of a user.');
  const revoked = await withOperator(io, async (operator) => {
    const found = findKeys(operator, flags, io.nowMs()).filter((key) => key.name === name);
    for (const { oid } of found)
      await operator.settings.write({ oid, kind: 'API_KEY', name, value: null, by: OPERATOR });
    return found.map(({ oid }) => oid);
  });
  if (revoked.length === 0) throw cliError('key_unknown', `No key is named ${name}.`, 'See {rt} keys list.');
  if (flags.json) io.out(prettyJson({ name, orgs: revoked }));
  else for (const oid of revoked) io.out(`Revoked ${name} in ${oid}.\n`);
}
