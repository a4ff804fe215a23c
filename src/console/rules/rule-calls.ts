/** What can be asked of the hives of rules. */
import { call } from '../api/client.ts';
import type { HiveRecord } from '../api/types.ts';

export const HIVES = ['dr-general', 'dr-managed'] as const;

export type Place = { oid: string; hive: string; name: string };
export type Listed = { hive: string; name: string; record: HiveRecord };

export async function readRules(oid: string, signal: AbortSignal): Promise<Listed[]> {
  const lists = await Promise.all(
    HIVES.map((hive) => call<Record<string, HiveRecord>>(`/v1/hive/${hive}/${oid}`, { signal })),
  );
  return lists.flatMap((records, i) =>
    Object.entries(records).map(([name, record]) => ({ hive: HIVES[i] as string, name, record })),
  );
}

const pathOf = ({ hive, oid, name }: Place, rest: string): string =>
  `/v1/hive/${hive}/${oid}/${encodeURIComponent(name)}${rest}`;

const json = (method: string, body: object): RequestInit => ({
  ...{ method, body: JSON.stringify(body) },
  headers: { 'content-type': 'application/json' },
});

export const readRule = (place: Place, signal: AbortSignal): Promise<HiveRecord> =>
  call<HiveRecord>(pathOf(place, '/data'), { signal });

/** Nothing is stored; throws what is wrong, with the path to it. */
export const checkRule = (place: Place, data: unknown): Promise<unknown> =>
  call(pathOf({ ...place, name: place.name || 'new' }, '/validate'), json('POST', { data }));

/** With `etag` only the record that has it is changed, else 409 ETAG_MISMATCH. */
export const storeRule = (place: Place, body: { data: unknown; etag?: string; usr_mtd?: object }): Promise<unknown> =>
  call(pathOf(place, '/data'), json('POST', body));

export const storeMetadata = (place: Place, body: { usr_mtd: object; etag: string }): Promise<unknown> =>
  call(pathOf(place, '/mtd'), json('POST', body));

export const deleteRule = (place: Place, etag: string): Promise<unknown> =>
  call(pathOf(place, ''), json('DELETE', { etag }));
