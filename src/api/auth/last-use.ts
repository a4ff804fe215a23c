/** When each key was last used. A process writes it at most once a minute for each key. */
import type { ApiPorts } from '../ports.ts';
import type { Identity } from './tokens.ts';

const EVERY_MS = 60_000;
const KEYS_MAX = 10_000;

export type LastUse = (identity: Identity, oid: string) => void;

/** Records a use in an org; without an org (''), in the org of the key. Never waits, never fails. */
export function createLastUse({
  keyUse,
  orgs,
  nowMs,
  log,
}: Pick<ApiPorts, 'keyUse' | 'orgs' | 'nowMs' | 'log'>): LastUse {
  const written = new Map<string, number>();
  return ({ key }, oid) => {
    if (key === null) return;
    const used = oid === '' || oid === key.oid ? key : orgs.keyLike(key, oid);
    if (!used) return;
    const name = `${used.oid}/${used.name}`;
    const atMs = nowMs();
    if (atMs - (written.get(name) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    if (written.size >= KEYS_MAX) written.clear();
    written.set(name, atMs);
    keyUse
      .used(used.oid, used.name, atMs)
      .catch((error) => log.debug({ err: error }, 'last use of a key not recorded'));
  };
}
