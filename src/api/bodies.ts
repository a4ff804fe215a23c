/**
 * How bodies are read: a form or JSON, in UTF-8, told by the content type. An empty form is an empty object on every method,
 * since the public clients send one with each GET and DELETE.
 */
import type { FastifyRequest } from 'fastify';
import type { HttpServer } from '../edges/http/server.ts';
import { ApiError } from '../errors.ts';
import { parseForm } from './form.ts';
import { parseJson } from './json.ts';

export const FORM = 'application/x-www-form-urlencoded';
export const JSON_TYPE = 'application/json';

/** Takes the place of the framework's own parsers. */
export function addBodyParsers(server: HttpServer): void {
  server.removeAllContentTypeParsers();
  const add = (type: string, parse: (text: string) => unknown) =>
    server.addContentTypeParser(type, { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) =>
      parse(textOf(bytes, request.headers['content-type'] ?? '')),
    );
  add(FORM, parseForm);
  add(JSON_TYPE, (text) => parseJson(text, 'The body', 'bad_request'));
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
