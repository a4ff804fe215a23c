/** Calls to the hives that hold the rules. */
import { call } from '../api/client.ts';
import type { HiveRecord } from '../api/types.ts';

export const HIVES = ['dr-general', 'dr-managed'] as const;

export type RuleTarget = { oid: string; hive: string; name: string };
export type Listed = { hive: string; name: string; record: HiveRecord };

export async function readRules(oid: string, signal: AbortSignal): Promise<Listed[]> {
  const lists = await Promise.all(
    HIVES.map((hive) => call<Record<string, HiveRecord>>(`/v1/hive/${hive}/${oid}`, { signal })),
  );
  return lists.flatMap((records, i) =>
    Object.entries(records).map(([name, record]) => ({ hive: HIVES[i] as string, name, record })),
  );
}

const pathOf = ({ hive, oid, name }: RuleTarget, rest: string): string =>
  `/v1/hive/${hive}/${oid}/${encodeURIComponent(name)}${rest}`;

const json = (method: string, body: object): RequestInit => ({
  method,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

export const readRule = (target: RuleTarget, signal: AbortSignal): Promise<HiveRecord> =>
  call<HiveRecord>(pathOf(target, '/data'), { signal });

/** Stores nothing. Throws the error, with the path to the wrong field. */
export const checkRule = (target: RuleTarget, data: unknown): Promise<unknown> =>
  call(pathOf({ ...target, name: target.name || 'new' }, '/validate'), json('POST', { data }));

/** With `etag`, only the record with this etag is changed; otherwise 409 ETAG_MISMATCH. */
export const storeRule = (
  target: RuleTarget,
  body: { data: unknown; etag?: string; usr_mtd?: object },
): Promise<unknown> => call(pathOf(target, '/data'), json('POST', body));

export const storeMetadata = (target: RuleTarget, body: { usr_mtd: object; etag: string }): Promise<unknown> =>
  call(pathOf(target, '/mtd'), json('POST', body));

export const deleteRule = (target: RuleTarget, etag: string): Promise<unknown> =>
  call(pathOf(target, ''), json('DELETE', { etag }));
