/** May this caller do this here? An org that the token does not name and one that does not exist look the same. */
import { ApiError } from '../../errors.ts';
import { EXTENSION } from '../../orgs/table.ts';
import type { Identity } from './tokens.ts';

export function requireOrg({ oids }: Identity, oid: string): void {
  if (!oids.includes(oid)) throw new ApiError('forbidden', 'The token does not name this org: get one for this oid.');
}

/** One of `rights` is enough. It must be one in the org; where a call is about no org (''), one in any of the token's. */
export function requireRight({ rights: has }: Identity, oid: string, rights: readonly string[]): void {
  const places = oid === '' ? [...has.values()] : [has.get(oid)];
  if (places.some((place) => rights.some((right) => place?.has(right)))) return;
  const [name] = rights;
  throw new ApiError('forbidden', `The API key lacks the right ${name}: use a key that has it.`, {
    data: { right: name },
  });
}

export const notSubscribed = (): ApiError =>
  new ApiError('not_subscribed', `The org is not subscribed to ${EXTENSION}: subscribe it first.`);
