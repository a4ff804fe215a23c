/** When each key was used last, for whoever looks after keys: a process says it at most once a minute and key. */
import type { ApiPorts } from '../ports.ts';
import type { Identity } from './tokens.ts';

const EVERY_MS = 60_000;
const KEYS_MAX = 10_000;

export type LastUse = (identity: Identity, oid: string) => void;

/** Notes a use in an org; without one (''), in the org of the key that is known. Never waits, never fails. */
export function createLastUse({
  keyUse,
  orgs,
  nowMs,
  log,
}: Pick<ApiPorts, 'keyUse' | 'orgs' | 'nowMs' | 'log'>): LastUse {
  const noted = new Map<string, number>();
  return ({ key }, oid) => {
    if (key === null) return;
    const place = oid === '' || oid === key.oid ? key : orgs.keyLike(key, oid);
    if (!place) return;
    const name = `${place.oid}/${place.name}`;
    const atMs = nowMs();
    if (atMs - (noted.get(name) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    if (noted.size >= KEYS_MAX) noted.clear();
    noted.set(name, atMs);
    keyUse.used(place.oid, place.name, atMs).catch((error) => log.debug({ err: error }, 'a use was not noted'));
  };
}
