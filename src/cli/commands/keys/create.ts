/** `keys create`: creates a key in one org, or in several orgs for a user. It prints the key once all orgs have it. */
import { randomUUID } from 'node:crypto';
import { RIGHTS } from '../../../orgs/rights.ts';
import { hashOfKey } from '../../../orgs/table.ts';
import { cliError, usageError } from '../../errors.ts';
import { type Io, type Paint, painter, prettyJson } from '../../io.ts';
import { OPERATOR, type Operator, requireKnown, withOperator } from '../../kafka/operator.ts';
import type { JsonFlag } from '../../options.ts';
import { parseDuration } from '../../text/duration.ts';
import { facts } from '../../text/table.ts';
import { endText } from '../../text/time.ts';
import { orgsOfFlags, type PlaceFlags } from './find.ts';

export type CreateFlags = PlaceFlags & JsonFlag & { uid?: string; name?: string; perms?: string; expires?: string };

/** The validated request, before any call to Kafka. Times are Unix ms. */
type Wanted = { oids: string[]; name: string; uid?: string; perms: string[]; expiresAtMs?: number };

const NAME = /^[A-Za-z0-9._:@ -]{1,100}$/;
const NAME_RULE = 'Use 1 to 100 characters of A-Z a-z 0-9 . _ : @ - and spaces.';

/** Throws a usage error that names the wrong flag. */
export function wantedKey(flags: CreateFlags, nowMs: number): Wanted {
  const oids = orgsOfFlags(flags);
  if (oids.length === 0) throw usageError('The org is missing.', 'Use --oid, or --orgs with --uid.');
  if (oids.length > 1 && flags.uid === undefined)
    throw usageError('A key for several orgs must belong to a user.', 'Add the user: --uid alice.');
  for (const text of [flags.uid, flags.name])
    if (text !== undefined && !NAME.test(text)) throw usageError(`'${text}' is not a valid name.`, NAME_RULE);
  return {
    oids,
    name: flags.name ?? `key-${randomUUID().slice(0, 8)}`,
    ...(flags.uid === undefined ? {} : { uid: flags.uid }),
    perms: flags.perms === undefined ? [...RIGHTS] : rightsOf(flags.perms),
    ...(flags.expires === undefined ? {} : { expiresAtMs: endOf(flags.expires, nowMs) }),
  };
}

function rightsOf(text: string): string[] {
  const perms = [...new Set(text.split(',').map((part) => part.trim()))].filter(Boolean);
  const unknown = perms.filter((right) => !RIGHTS.includes(right));
  if (unknown.length > 0)
    throw usageError(`Unknown right: ${unknown.join(', ')}.`, `The rights are ${RIGHTS.join(', ')}.`);
  if (perms.length === 0) throw usageError('No right is given.', `The rights are ${RIGHTS.join(', ')}.`);
  return perms;
}

/** The end of a day (UTC), or a duration from now. */
function endOf(text: string, nowMs: number): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const endMs = isDay ? Date.parse(`${text}T23:59:59.999Z`) : nowMs + parseDuration(text) * 1000;
  if (Number.isNaN(endMs)) throw usageError(`'${text}' is not a date.`, 'Write it like 2027-01-31.');
  if (endMs <= nowMs) throw usageError(`'${text}' is in the past.`, 'Write a future time: 90d, or 2027-01-31.');
  return endMs;
}

export async function createKey(flags: CreateFlags, io: Io): Promise<void> {
  const nowMs = io.nowMs();
  const wanted = wantedKey(flags, nowMs);
  const key = randomUUID();
  await withOperator(io, (operator) => writeKey(operator, wanted, key, nowMs));
  const { oids, name, uid, perms, expiresAtMs } = wanted;
  if (flags.json) {
    io.out(prettyJson({ key, name, orgs: oids, uid: uid ?? null, perms, expires_at: expiresAtMs ?? null }));
    return;
  }
  io.out(keyText(wanted, key, nowMs, painter(io.colour)));
  io.err('Store the key now. It is not shown again.\n');
}

/** Prints the new key. This is the only time that it is shown. */
export function keyText({ oids, name, uid, perms, expiresAtMs }: Wanted, key: string, nowMs: number, paint: Paint) {
  const rows: [string, string][] = [
    ['key', key],
    ['name', name],
    ...oids.map((oid): [string, string] => ['org', oid]),
    ...(uid === undefined ? [] : [['user', uid] as [string, string]]),
    ['rights', perms.join(' ')],
    ['expires', expiresAtMs === undefined ? 'never' : endText(expiresAtMs, nowMs)],
  ];
  return facts(rows, paint);
}

/** Creates the key in all orgs. If one fails, it removes the key from the others again, as far as Kafka allows. */
async function writeKey(operator: Operator, wanted: Wanted, key: string, nowMs: number): Promise<void> {
  const { settings } = operator;
  for (const oid of wanted.oids) requireKnown(operator, oid);
  const value = {
    hash: hashOfKey(key),
    perms: wanted.perms,
    ...(wanted.uid === undefined ? {} : { uid: wanted.uid }),
    ...(wanted.expiresAtMs === undefined ? {} : { expires_at: wanted.expiresAtMs }),
    created_at: nowMs,
  };
  const place = { kind: 'API_KEY', name: wanted.name, by: OPERATOR } as const;
  const done: string[] = [];
  try {
    for (const oid of wanted.oids) {
      await settings.write({ ...place, oid, value, ifEtag: '' });
      done.push(oid);
    }
  } catch (error) {
    for (const oid of done) await settings.write({ ...place, oid, value: null }).catch(() => undefined);
    if ((error as { code?: unknown }).code !== 'etag_mismatch') throw error;
    const sentence = `A key named ${wanted.name} already exists.`;
    throw cliError('key_exists', sentence, 'Choose another --name. See {rt} keys list.');
  }
}
