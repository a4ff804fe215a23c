/**
 * Reads the request of an extension from wherever the known clients put its parts: `oid` and `action` in the body or in the
 * query string, the data as `data` (JSON text, or an object in a JSON body) or as `gzdata` (base64 of gzip of JSON text).
 * A part that is given twice with different values is refused, since no choice between the two would be right. Nothing is
 * unpacked beyond `maxBytes`. `impersonator_jwt` is not looked at: it could give no right that the caller has not.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ApiError } from '../errors.ts';
import { bytesOfBase64, textOfBytes } from './base64.ts';
import { parseJson } from './json.ts';
import type { ActionRequest } from './run-action.ts';

type Fields = Record<string, unknown>;

const unpack = promisify(gunzip);

/** `body` is a parsed form or JSON body. Throws ApiError. */
export async function readExtensionRequest(body: Fields, query: Fields, maxBytes: number): Promise<ActionRequest> {
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
    throw new ApiError('bad_request', 'The data has to be one JSON object, given once: as data or as gzdata.');
  if (isGiven(gzdata)) return parseJson(await unzip(gzdata, maxBytes), 'gzdata', 'data_invalid');
  if (!isGiven(data)) return {};
  return typeof data === 'string' ? parseJson(data, 'data', 'data_invalid') : data;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

async function unzip(gzdata: unknown, maxBytes: number): Promise<string> {
  const packed = bytesOfBase64(String(gzdata), 'gzdata must be the base64 text of gzipped JSON.');
  try {
    return textOfBytes(await unpack(packed, { maxOutputLength: maxBytes }));
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new ApiError('body_too_large', `gzdata unpacks to more than ${maxBytes} bytes.`, { cause });
    throw new ApiError('data_invalid', 'gzdata does not unpack: it must be base64 of gzip of JSON in UTF-8.', {
      cause,
    });
  }
}
