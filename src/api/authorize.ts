/** May this caller do this here? An org that the token does not name and one that does not exist look the same. */
import { ApiError } from '../errors.ts';
import type { Identity } from './tokens.ts';

export function requireOrg({ oids }: Identity, oid: string): void {
  if (!oids.includes(oid)) throw new ApiError('forbidden', 'The token does not name this org: get one for this oid.');
}

/** One of `rights` is enough. */
export function requireRight(identity: Identity, rights: readonly string[]): void {
  if (rights.some((right) => identity.rights.has(right))) return;
  const [name] = rights;
  throw new ApiError('forbidden', `The API key lacks the right ${name}: use a key that has it.`, {
    data: { right: name },
  });
}
