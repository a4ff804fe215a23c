/**
 * Reads the request of an extension from wherever the known clients put its parts: `oid` and `action` in the body or in the
 * query string, the data as `data` (JSON text, or an object in a JSON body) or as `gzdata` (base64 of gzip of JSON text).
 * A part that is given twice with different values is refused, since no choice between the two would be right. Nothing is
 * unpacked beyond `maxBytes`.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ApiError } from '../errors.ts';
import { parseJson } from './json.ts';

export type ExtensionRequest = { oid: string; action: string; data: unknown };
type Fields = Record<string, unknown>;

const unpack = promisify(gunzip);

/** `body` is a parsed form or JSON body. Throws ApiError. */
export async function readExtensionRequest(body: Fields, query: Fields, maxBytes: number): Promise<ExtensionRequest> {
  const oid = partOf('oid', body, query);
  const action = partOf('action', body, query);
  return { oid, action, data: await dataOf(body, maxBytes) };
}

function partOf(name: string, body: Fields, query: Fields): string {
  const values = new Set([body[name], query[name]].flat().filter(isGiven));
  if (values.size > 1) throw new ApiError('bad_request', `${name} is given more than once: say it once.`);
  const [value] = values;
  if (typeof value === 'string') return value;
  throw new ApiError('bad_request', value === undefined ? `${name} is missing.` : `${name} must be text.`);
}

async function dataOf({ data, gzdata }: Fields, maxBytes: number): Promise<unknown> {
  if (Array.isArray(data) || Array.isArray(gzdata) || (isGiven(data) && isGiven(gzdata)))
    throw new ApiError('bad_request', 'data is given more than once: give data or gzdata, once.');
  if (isGiven(gzdata)) return parseJson(await unzip(gzdata, maxBytes), 'gzdata', 'data_invalid');
  if (!isGiven(data)) return {};
  return typeof data === 'string' ? parseJson(data, 'data', 'data_invalid') : data;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

async function unzip(gzdata: unknown, maxBytes: number): Promise<string> {
  // A sender that does not percent-encode its form turns each + of base64 into a space.
  const base64 = typeof gzdata === 'string' ? gzdata.replaceAll(' ', '+').trim() : '';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    throw new ApiError('data_invalid', 'gzdata must be the base64 text of gzipped JSON.');
  try {
    const bytes = await unpack(Buffer.from(base64, 'base64'), { maxOutputLength: maxBytes });
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new ApiError('body_too_large', `gzdata unpacks to more than ${maxBytes} bytes.`, { cause });
    throw new ApiError('data_invalid', 'gzdata does not unpack: it must be base64 of gzip of JSON in UTF-8.', {
      cause,
    });
  }
}
