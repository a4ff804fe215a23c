/** `keys list`: lists keys. The secret of a key cannot be shown. */

import { RIGHTS } from '../../../orgs/rights.ts';
import { csvOf } from '../../../text/csv.ts';
import { type Io, type Paint, painter, prettyJson } from '../../io.ts';
import type { Operator } from '../../kafka/operator.ts';
import type { RowFlags } from '../../options.ts';
import { durationText } from '../../text/duration.ts';
import { clip, table } from '../../text/table.ts';
import { type FoundKey, findKeys, type KeyPlace } from './find.ts';

/** `last_used_at`: null if it is unknown. */
export type ListedKey = FoundKey & { last_used_at: number | null };

export async function listKeys(operator: Operator, flags: KeyPlace & RowFlags, io: Io): Promise<void> {
  const keys = await withLastUse(operator, findKeys(operator, flags, io.nowMs()));
  if (flags.json) io.out(prettyJson({ keys }));
  else if (flags.output === 'csv') io.out(keyCsv(keys));
  else if (keys.length === 0) io.err('No keys.\n');
  else io.out(keyTable(keys, io.nowMs(), painter(io.colour)));
}

async function withLastUse({ keyUse }: Operator, keys: FoundKey[]): Promise<ListedKey[]> {
  const uses = new Map<FoundKey, number | null>();
  for (const oid of new Set(keys.map((key) => key.oid))) {
    const ofOrg = keys.filter((key) => key.oid === oid);
    const names = ofOrg.map(({ name }) => name);
    const found = await keyUse?.lastUses(oid, names).catch(() => undefined);
    for (const [i, key] of ofOrg.entries()) uses.set(key, found?.[i] ?? null);
  }
  return keys.map((key) => ({ ...key, last_used_at: uses.get(key) ?? null }));
}

const CSV_FIELDS = [
  ...(['oid', 'name', 'uid', 'perms', 'expires_at', 'expired', 'last_used_at', 'updated_at', 'updated_by'] as const),
];

/** Times in Unix ms. */
export const keyCsv = (keys: readonly ListedKey[]): string => csvOf(CSV_FIELDS, keys);

export function keyTable(keys: readonly ListedKey[], nowMs: number, paint: Paint): string {
  const ago = (atMs: number | null) => (atMs === null ? '-' : `${durationText((nowMs - atMs) / 1000)} ago`);
  return table(
    ['ORG', 'NAME', 'USER', 'RIGHTS', 'EXPIRES IN', 'LAST USE', 'MADE'],
    keys.map((key) => [
      key.oid,
      clip(key.name, 40),
      clip(key.uid ?? '-', 30),
      RIGHTS.every((right) => key.perms.includes(right)) ? 'all' : clip(key.perms.join(' '), 40),
      expiryOf(key, nowMs, paint),
      ago(key.last_used_at),
      ago(key.updated_at),
    ]),
    paint,
  );
}

function expiryOf({ expires_at: expiresAtMs, expired }: ListedKey, nowMs: number, paint: Paint): string {
  if (expired) return paint('yellow', 'over');
  return expiresAtMs === null ? 'never' : durationText((expiresAtMs - nowMs) / 1000);
}
