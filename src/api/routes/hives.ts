/**
 * Hives: rules and lookups as records with etags, with the calls of the public client. A missing record is 400, not 404: clients
 * recognize a new record by it.
 */
import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { optional } from '../../command/fields.ts';
import { ApiError } from '../../errors.ts';
import { authorOf } from '../../responder/hives/author.ts';
import { type Hive, type HiveData, hiveNamed } from '../../responder/hives/hives.ts';
import { listRecords } from '../../responder/hives/listing.ts';
import {
  type KeptRecord,
  readMetadata,
  settingName,
  type UserMetadata,
  withFault,
} from '../../responder/hives/record.ts';
import { HiveStore, type HiveTarget } from '../../responder/hives/write.ts';
import { requireRight } from '../auth/admit.ts';
import { cursorOf, startOf } from '../http/cursor.ts';
import { parseJson } from '../http/json.ts';
import { type Parts, type Route, route } from '../http/route.ts';
import { within } from '../reads.ts';
import {
  data,
  etag,
  HiveParams,
  hive,
  RecordPage,
  RecordParams,
  RecordSchema,
  Records,
  text,
  usr_mtd,
  Written,
} from './hive-schemas.ts';

type Verb = keyof Hive['rights'];

const either = (verb: Verb) => [`dr.${verb}`, `dr.${verb}.managed`];
const common = { tag: 'hives', hiveErrors: true } as const;

const LISTING_MAX_BYTES = 4 * 1024 * 1024;
const PAGE_MAX = 1_000;
const PAGE = 500;
const FAULTS_MS = 1_000;

type Asked = FastifyRequest & { params: { hive: string; oid: string; name?: string } };

/** The hive of the path. Throws `forbidden` without the right in it. */
function allowed(request: FastifyRequest, verb: Verb): Hive {
  const found = hiveNamed((request as Asked).params.hive);
  requireRight(request.identity, request.oid, [found.rights[verb]]);
  return found;
}

const storeOf = ({ context }: Parts): HiveStore => new HiveStore(context.settings, context.nowMs);

/** The last faults of rules; none if Redis does not answer. */
async function faultsOf({ context }: Parts, oid: string): Promise<Awaited<ReturnType<typeof context.ruleFaults>>> {
  return within(FAULTS_MS, 'Redis', context.ruleFaults(oid)).catch(() => new Map());
}

function targetOf(request: FastifyRequest, verb: Verb): HiveTarget {
  const { name = '' } = (request as Asked).params;
  const { etag: given } = (request.body ?? {}) as { etag?: string | null };
  return {
    oid: request.oid,
    hive: allowed(request, verb),
    name,
    by: request.identity.keyName,
    rights: request.identity.rights.get(request.oid) ?? new Set(),
    etag: given ?? undefined,
  };
}

const written = ({ oid: partition, hive: { name: hiveName } }: HiveTarget, name: string, { guid }: KeptRecord) => ({
  guid,
  hive: { name: hiveName, partition },
  name,
});

/** An object, or its JSON. Some programs encode it as JSON twice. */
function readObject(field: string, value: unknown): HiveData {
  let read = value;
  for (let times = 0; typeof read === 'string' && times < 2; times += 1) read = parseJson(read, field, 'data_invalid');
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as HiveData;
  throw new ApiError('data_invalid', `${field} has to be a JSON object.`);
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '' && value !== 'null';

const metadataOf = (value: unknown): UserMetadata | undefined =>
  isGiven(value) ? readMetadata(readObject('usr_mtd', value)) : undefined;

type DataBody = { data?: unknown; usr_mtd?: unknown; arl?: string | null };

function dataOf(body: DataBody): HiveData {
  if (isGiven(body.arl)) throw new ApiError('data_invalid', 'arl is not supported: send the data itself.');
  return readObject('data', body.data);
}

/** v4 encodes the new name twice. */
function decodedAgain(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function startName(listing: string, cursor: string | null | undefined): string {
  try {
    return startOf(listing, cursor) ?? '';
  } catch (cause) {
    throw new ApiError('invalid_cursor', 'INVALID_CURSOR: start the listing again without a cursor.', { cause });
  }
}

export const hiveRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    url: '/v1/hive/:hive/schema',
    rights: 'token',
    summary: 'Shows the schema of the data of a record.',
    schema: { params: Type.Object({ hive }), response: { 200: Type.Object({ schema: Type.Unknown() }) } },
    handle: (_parts, { params }) => ({ schema: hiveNamed(params.hive).schema }),
  }),
  route({
    ...common,
    method: 'GET',
    url: '/v1/hive/:hive/:oid',
    rights: either('list'),
    summary: 'Lists the records of a hive: all, or with `limit` in pages.',
    schema: {
      params: HiveParams,
      querystring: Type.Object({
        mtd_only: optional(Type.Boolean(), { expected: 'true or false', description: 'Without data.' }),
        limit: optional(Type.Integer({ minimum: 1 }), {
          expected: 'a whole number from 1',
          description: `In pages of at most so many records; more than ${PAGE_MAX} counts as ${PAGE_MAX}.`,
        }),
        cursor: optional(Type.String(), { ...text, description: 'The next_cursor of the page before.' }),
        tag_prefix: optional(Type.String(), { ...text, description: 'Records with a tag that starts with this.' }),
        max_bytes: optional(Type.Integer({ minimum: 1 }), {
          expected: 'a whole number from 1',
          description: 'The most that a listing or page may take.',
        }),
      }),
      response: { 200: Type.Union([RecordPage, Records]) },
    },
    handle: async (parts, request) => {
      const { mtd_only, limit, cursor, tag_prefix, max_bytes } = request.query;
      const from = allowed(request, 'list');
      const listing = `${from.name}/${request.oid}`;
      const paged = isGiven(limit) || isGiven(cursor);
      const faults = await faultsOf(parts, request.oid);
      const all = storeOf(parts)
        .list(request.oid, from)
        .map(({ name, record }) => ({ name, record: withFault(record, faults.get(settingName(from.name, name))) }));
      const { records, last } = listRecords(all, {
        metadataOnly: mtd_only ?? false,
        tagPrefix: tag_prefix ?? '',
        maxBytes: Math.min(max_bytes ?? LISTING_MAX_BYTES, LISTING_MAX_BYTES),
        limit: paged ? Math.min(limit ?? PAGE, PAGE_MAX) : undefined,
        after: startName(listing, cursor),
      });
      return paged ? { records, next_cursor: last === null ? '' : cursorOf(listing, last) } : records;
    },
  }),
  ...(['data', 'mtd'] as const).map((part) =>
    route({
      ...common,
      method: 'GET',
      url: `/v1/hive/:hive/:oid/:name/${part}`,
      rights: either('list'),
      summary: part === 'data' ? 'One record.' : 'One record without its data.',
      schema: { params: RecordParams, response: { 200: RecordSchema } },
      handle: async (parts, request) => {
        const { name } = request.params;
        const from = allowed(request, 'list');
        const stored = storeOf(parts).get(request.oid, from, name);
        const record = withFault(stored, (await faultsOf(parts, request.oid)).get(settingName(from.name, name)));
        return part === 'data' ? record : { ...record, data: {} };
      },
    }),
  ),
  route({
    ...common,
    method: 'POST',
    url: '/v1/hive/:hive/:oid/:name/data',
    rights: either('set'),
    summary: 'Stores the data of a record. Without `usr_mtd` the metadata do not change, and a new record is disabled.',
    schema: {
      params: RecordParams,
      body: Type.Object({ data, usr_mtd, etag, arl: optional(Type.String(), { ...text, description: 'Not read.' }) }),
      response: { 200: Written },
    },
    handle: async (parts, request) => {
      const target = targetOf(request, 'set');
      const kept = await storeOf(parts).setData(target, dataOf(request.body), metadataOf(request.body.usr_mtd));
      return written(target, target.name, kept);
    },
  }),
  route({
    ...common,
    method: 'POST',
    url: '/v1/hive/:hive/:oid/:name/mtd',
    rights: either('set'),
    summary: 'Stores the metadata of a record; `data` is ignored.',
    schema: { params: RecordParams, body: Type.Object({ data, usr_mtd, etag }), response: { 200: Written } },
    handle: async (parts, request) => {
      const target = targetOf(request, 'set');
      const metadata = metadataOf(request.body.usr_mtd) ?? readMetadata({});
      return written(target, target.name, await storeOf(parts).setMetadata(target, metadata));
    },
  }),
  route({
    ...common,
    method: 'POST',
    url: '/v1/hive/:hive/:oid/:name/validate',
    rights: either('set'),
    summary: 'Checks data without storing it.',
    schema: { params: RecordParams, body: Type.Object({ data, usr_mtd, etag }), response: { 200: Type.Object({}) } },
    handle: (_parts, request) => {
      metadataOf(request.body.usr_mtd);
      const target = targetOf(request, 'set');
      const checked = dataOf(request.body);
      target.hive.check(checked);
      authorOf(target.hive, checked, target);
      return {};
    },
  }),
  route({
    ...common,
    method: 'POST',
    url: '/v1/hive/:hive/:oid/:name/rename',
    rights: either('set'),
    summary: 'Renames a record.',
    schema: {
      params: RecordParams,
      querystring: Type.Object({ new_name: optional(Type.String(), { ...text, description: 'The new name.' }) }),
      body: Type.Object({ new_name: optional(Type.String(), { ...text, description: 'The same.' }), etag }),
      response: { 200: Written },
    },
    handle: async (parts, request) => {
      const target = targetOf(request, 'set');
      const name = decodedAgain(request.query.new_name || request.body.new_name || '');
      if (name === '') throw new ApiError('data_invalid', 'new_name is missing.');
      return written(target, name, await storeOf(parts).rename(target, name));
    },
  }),
  route({
    ...common,
    method: 'DELETE',
    url: '/v1/hive/:hive/:oid/:name',
    rights: either('del'),
    summary: 'Deletes a record.',
    schema: { params: RecordParams, body: Type.Object({ etag }), response: { 200: Type.Object({}) } },
    handle: async (parts, request) => {
      await storeOf(parts).remove(targetOf(request, 'del'));
      return {};
    },
  }),
];
