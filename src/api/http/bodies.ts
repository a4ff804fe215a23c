/**
 * How bodies are read: a form or JSON, in UTF-8, told by the content type. An empty form is an empty object on every method,
 * since the public clients send one with each GET and DELETE. What bodies may cost is bounded: bytes under way (body-budget.ts),
 * fields and values (form.ts, json.ts), and large ones are parsed one in each round of the event loop.
 */
import { type Readable, Transform } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
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

/** Takes the place of the framework's own parsers. */
export function addBodyParsers(server: HttpServer): void {
  server.removeAllContentTypeParsers();
  const add = (type: string, parse: (text: string) => unknown) =>
    server.addContentTypeParser(type, { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
      await ownRound(bytes.length);
      return parse(textOf(bytes, request.headers['content-type'] ?? ''));
    });
  add(FORM, parseForm);
  add(JSON_TYPE, parseJsonBody);
}

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

/** The body as a stream. Without an announced length, each chunk is charged as it arrives. */
export function chargedBody({ method, headers, held }: FastifyRequest, body: Readable): Readable {
  if (BODILESS.has(method) || headers['transfer-encoding'] === undefined) return body;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        held.add(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  // No pipeline: it would destroy the request together with `counting`, and the rest of the body would not be discarded.
  body.once('error', (error) => counting.destroy(error));
  return body.pipe(counting);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Buffer, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  if (!/^(utf-?8|us-ascii)$/i.test(charset))
    throw new ApiError('unsupported_media_type', 'Send the body in UTF-8; other character sets are not read.');
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ApiError('bad_request', 'The body is not UTF-8: check how it is encoded.', { cause });
  }
}
