/**
 * Reads the request of an extension. Known clients put `oid` and `action` in the body or in the query string, and the data in `data`
 * (JSON text, or an object in a JSON body) or in `gzdata` (base64 of gzip of JSON text). A part that is given twice with different
 * values is refused, since either could be wrong. At most `maxBytes` are unpacked, and they count as bytes in progress.
 * `impersonator_jwt` is ignored: it could not give more rights than the caller has.
 */
import { createGunzip } from 'node:zlib';
import { ApiError } from '../../errors.ts';
import { bytesOfBase64, textOfBytes } from '../http/base64.ts';
import { ownRound } from '../http/bodies.ts';
import type { HeldBytes } from '../http/body-budget.ts';
import { parseJson } from '../http/json.ts';
import type { ActionRequest } from './run-action.ts';

type Fields = Record<string, unknown>;

/** The maximum unpacked size of `gzdata`, and the owner that is charged for it. */
type Bounds = { maxBytes: number; held: HeldBytes };

/** `body` is a parsed form or JSON body. Throws ApiError. */
export async function readExtensionRequest(body: Fields, query: Fields, bounds: Bounds): Promise<ActionRequest> {
  const oid = partOf('oid', body, query);
  const action = partOf('action', body, query);
  return { oid, action, data: await dataOf(body, bounds) };
}

function partOf(name: string, body: Fields, query: Fields): string {
  const values = new Set([body[name], query[name]].flat().filter(isGiven));
  if (values.size > 1) throw new ApiError('bad_request', `${name} is given more than once: give it once.`);
  const [value] = values;
  if (typeof value === 'string') return value;
  throw new ApiError('bad_request', value === undefined ? `${name} is missing.` : `${name} must be text.`);
}

async function dataOf({ data, gzdata }: Fields, bounds: Bounds): Promise<unknown> {
  if (Array.isArray(data) || Array.isArray(gzdata) || (isGiven(data) && isGiven(gzdata)))
    throw new ApiError('bad_request', 'The data must be one JSON object, given once: as data or as gzdata.');
  if (isGiven(gzdata)) return parseJson(await unzip(gzdata, bounds), 'gzdata', 'data_invalid');
  if (!isGiven(data)) return {};
  return typeof data === 'string' ? parseJson(data, 'data', 'data_invalid') : data;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

async function unzip(gzdata: unknown, bounds: Bounds): Promise<string> {
  const packed = bytesOfBase64(String(gzdata), 'gzdata must be the base64 text of gzipped JSON.');
  try {
    const bytes = await unpack(packed, bounds);
    await ownRound(bytes.length);
    return textOfBytes(bytes);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError('data_invalid', 'gzdata cannot be unpacked: it must be base64 of gzip of JSON in UTF-8.', {
      cause,
    });
  }
}

async function unpack(packed: Buffer, { maxBytes, held }: Bounds): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  const unpacking = createGunzip();
  unpacking.end(packed);
  for await (const piece of unpacking as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > maxBytes) throw new ApiError('body_too_large', `gzdata unpacks to more than ${maxBytes} bytes.`);
    held.add(piece.length);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
