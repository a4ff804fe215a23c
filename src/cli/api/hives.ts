/** Calls to hives. */
import type { HiveRecord } from '../../responder/hives/record.ts';
import { CliError } from '../errors.ts';
import type { Client } from './client.ts';

export type Listed = { name: string; record: HiveRecord };

const PAGE = 500;
/** More records than a hive can have: the bound for a server that never ends a listing. */
const PAGES_MAX = 100;

const place = (hive: string, name: string, part = ''): string =>
  `/v1/hive/${hive}/{oid}/${encodeURIComponent(name)}${part}`;

/** The whole hive, page by page. */
export async function listHive(client: Client, hive: string): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor = '';
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === '' ? {} : { cursor }) });
    const answer = await client.call<{ records: Record<string, HiveRecord>; next_cursor: string }>(
      'GET',
      `/v1/hive/${hive}/{oid}?${query}`,
    );
    for (const [name, record] of Object.entries(answer.records)) found.push({ name, record });
    cursor = answer.next_cursor;
    if (cursor === '') break;
  }
  return found;
}

export const getRecord = (client: Client, hive: string, name: string): Promise<HiveRecord> =>
  client.call('GET', place(hive, name, '/data'));

export const setRecord = (
  client: Client,
  hive: string,
  name: string,
  fields: Record<string, string>,
): Promise<unknown> => client.call('POST', place(hive, name, '/data'), fields);

export const deleteRecord = (client: Client, hive: string, name: string): Promise<unknown> =>
  client.call('DELETE', place(hive, name));

export const isMissing = (error: unknown): boolean => error instanceof CliError && error.code === 'RECORD_NOT_FOUND';
