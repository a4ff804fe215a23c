/** The orgs and rights of a caller, in the form that the public clients read. Pure. */
import type { OrgTable } from '../../orgs/table.ts';
import type { Identity } from './tokens.ts';

export type Who = { orgs: string[]; perms: string[] } | { orgs: string[]; user_perms: Record<string, string[]> };

/** Rights by org for users and for callers with several orgs; else one list. */
export function whoIs({ oids, rights, key }: Identity): Who {
  const orgs = [...oids];
  const permsIn = (oid: string): string[] => [...(rights.get(oid) ?? [])];
  if (key?.uid === undefined && orgs.length <= 1) return { orgs, perms: orgs.flatMap(permsIn) };
  return { orgs, user_perms: Object.fromEntries(orgs.map((oid) => [oid, permsIn(oid)])) };
}

export type OrgQuery = { offset: number; limit: number; filter: string; descending: boolean };

export type UserOrgs = { orgs: { oid: string; name: string }[]; total: number };

/** A page of the orgs that the key has access to, even if the token does not name them; sorted by name. */
export function orgsOf(identity: Identity, table: OrgTable, nowMs: number, query: OrgQuery): UserOrgs {
  const oids = identity.key ? table.keysWith(identity.key, nowMs).map(({ oid }) => oid) : identity.oids;
  const wanted = query.filter.toLowerCase();
  const orgs = [...new Set(oids)]
    .map((oid) => ({ oid, name: table.nameOf(oid) ?? '' }))
    .filter(({ oid, name }) => oid.includes(wanted) || name.toLowerCase().includes(wanted))
    .sort((a, b) => (`${a.name}/${a.oid}` < `${b.name}/${b.oid}` ? -1 : 1));
  if (query.descending) orgs.reverse();
  return { orgs: orgs.slice(query.offset, query.offset + query.limit), total: orgs.length };
}
