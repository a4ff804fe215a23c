/**
 * How bodies are read: a form or JSON, in UTF-8, by the content type. An empty form is an empty object on every method, since the
 * public clients send one with each GET and DELETE. What a body may cost is bounded: bytes in progress (body-budget.ts), fields and
 * values (form.ts, json.ts). Large bodies are parsed one in each round of the event loop.
 */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import formbody from '@fastify/formbody';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpServer } from '../../edges/http/server.ts';
import { ApiError } from '../../errors.ts';
import type { BodyBudget, HeldBytes } from './body-budget.ts';
import { FIELDS_MAX, parseForm } from './form.ts';
import { parseJson } from './json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes that its body holds; set on every route of the API. */
    held: HeldBytes;
  }
}

export const FORM = 'application/x-www-form-urlencoded';
export const JSON_TYPE = 'application/json';

/** Shorter texts are parsed immediately: the time does not matter. */
const SMALL_BYTES = 65_536;

/** Replaces the parsers of the framework. They get text that `checkedBody` has let through. */
export async function addBodyParsers(server: HttpServer): Promise<void> {
  server.removeAllContentTypeParsers();
  await server.register(formbody, { parser: (text) => parseForm(withoutMark(text)) });
  server.addContentTypeParser(JSON_TYPE, { parseAs: 'string' }, async (_request: FastifyRequest, text: string) =>
    parseJsonBody(withoutMark(text)),
  );
}

/** Some programs begin UTF-8 with a byte order mark. */
const withoutMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text);

function parseJsonBody(text: string): unknown {
  const body = parseJson(text, 'The body', 'bad_request');
  if (typeof body === 'object' && body !== null && Object.keys(body).length > FIELDS_MAX)
    throw new ApiError('bad_request', `A body has at most ${FIELDS_MAX} fields.`);
  return body;
}

/** One queue, since the process has one event loop. The limit on concurrent body bytes bounds it. */
let lastRound: Promise<unknown> = Promise.resolve();

/** Call before parsing a large text. Resolves in a round of the event loop in which no other large text is parsed, so that other
 *  requests are answered in between. */
export async function ownRound(bytes: number): Promise<void> {
  if (bytes <= SMALL_BYTES) return;
  lastRound = lastRound.then(() => setImmediate());
  await lastRound;
}

/** What comes with them is not read. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Charges the body that a request announces, before it is read. Throws as `HeldBytes.add`. */
export function holdBody(
  budget: BodyBudget,
  owner: string,
  bodyMax: number,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  request.held = budget.open(owner);
  reply.raw.once('close', request.held.release);
  // The client may have disconnected during admission: then no more data arrives.
  if (reply.raw.destroyed) request.held.release();
  const announced = BODILESS.has(request.method) ? 0 : Number(request.headers['content-length'] ?? 0);
  // The framework refuses a longer body before it reads it.
  if (announced <= bodyMax) request.held.add(announced);
}

/** The body as a stream. Without an announced length, each chunk is charged as it arrives. The stream ends with an error if the
 *  body is not UTF-8, and not before it is the turn of a large body. Nothing is read before the framework reads the stream. */
export function checkedBody(request: FastifyRequest, body: Readable): Readable {
  if (BODILESS.has(request.method)) return body;
  const checked = Readable.from(checkedChunks(request, body), { objectMode: false });
  // The framework stops listening when it refuses a body that is too long. The rest of the body can still fail.
  return checked.on('error', () => {});
}

async function* checkedChunks({ headers, held }: FastifyRequest, body: Readable): AsyncGenerator<Buffer> {
  const isCharged = headers['transfer-encoding'] !== undefined;
  const utf8 = new Utf8Check();
  let bytes = 0;
  // The rest of a refused body is discarded (server.ts), which needs the request to stay open.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (isCharged) held.add(chunk.length);
    utf8.add(chunk);
    yield chunk;
  }
  requireUtf8Charset(headers['content-type'] ?? '');
  utf8.end();
  await ownRound(bytes);
}

function requireUtf8Charset(contentType: string): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  if (!/^(utf-?8|us-ascii)$/i.test(charset))
    throw new ApiError('unsupported_media_type', 'Send the body in UTF-8; other character sets are not read.');
}

/** Finds bytes that are not UTF-8, chunk by chunk. The framework would replace them. */
class Utf8Check {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #fault: unknown = null;

  add(chunk: Buffer): void {
    if (this.#fault !== null) return;
    try {
      this.#decoder.decode(chunk, { stream: true });
    } catch (error) {
      this.#fault = error;
    }
  }

  /** Throws `bad_request`. */
  end(): void {
    try {
      if (this.#fault !== null) throw this.#fault;
      this.#decoder.decode();
    } catch (cause) {
      throw new ApiError('bad_request', 'The body is not UTF-8: check its encoding.', { cause });
    }
  }
}
