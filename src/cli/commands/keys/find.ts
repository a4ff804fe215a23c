/** Finds the orgs and keys that the flags select. */
import { isLive } from '../../../orgs/table.ts';
import { usageError } from '../../errors.ts';
import { checkOid, type Operator, requireKnown } from '../../kafka/operator.ts';

export type PlaceFlags = { oid?: string; orgs?: string };
export type KeyPlace = PlaceFlags & { uid?: string };

const ORGS_MAX = 1_000;

/** The orgs of `--oid` and `--orgs`, without duplicates; empty if neither is given. Throws a usage error. */
export function orgsOfFlags({ oid, orgs }: PlaceFlags): string[] {
  const texts = [...(oid === undefined ? [] : [oid]), ...(orgs?.split(',') ?? [])];
  const oids = [
    ...new Set(
      texts
        .map((text) => text.trim())
        .filter(Boolean)
        .map(checkOid),
    ),
  ];
  if (oids.length > ORGS_MAX) throw usageError(`At most ${ORGS_MAX} orgs at once.`);
  return oids;
}

/** A stored key. Times are Unix ms. */
export type FoundKey = {
  oid: string;
  name: string;
  uid: string | null;
  perms: string[];
  expires_at: number | null;
  expired: boolean;
  updated_at: number;
  updated_by: string;
};

/** The keys of these orgs (empty: all orgs) and of this user, sorted by org and name. */
export function findKeys(operator: Operator, place: KeyPlace, nowMs: number): FoundKey[] {
  const { orgs, settings } = operator;
  const oids = orgsOfFlags(place);
  for (const oid of oids) requireKnown(operator, oid);
  return (oids.length > 0 ? oids : orgs.all().sort()).flatMap((oid) => {
    const stored = new Map(settings.list(oid, 'API_KEY').map((setting) => [setting.name, setting]));
    return [...orgs.keys(oid)]
      .filter(({ uid }) => place.uid === undefined || place.uid === uid)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((key) => ({
        oid,
        name: key.name,
        uid: key.uid ?? null,
        perms: key.perms,
        expires_at: key.expiresAtMs ?? null,
        expired: !isLive(key, nowMs),
        updated_at: stored.get(key.name)?.updatedAtMs ?? 0,
        updated_by: stored.get(key.name)?.updatedBy ?? '',
      }));
  });
}
