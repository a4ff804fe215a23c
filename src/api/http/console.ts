/**
 * The web console: the files of `npm run build` under `/console/`, and its page at `/`. All files are the server's own, and the page has
 * no inline script or style, so the policy allows neither. The names of assets have a hash of their content: browsers may cache them
 * for ever, the page never. If the browser accepts it, assets are sent as the build has compressed them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { HttpServer } from '../../edges/http/server.ts';

export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const YEAR_MS = 365 * 24 * 3_600_000;

/** Adds the console's files to the server. Returns its page, or null if it is not built. */
export async function serveConsole(server: HttpServer, folder: string): Promise<string | null> {
  const page = join(folder, 'index.html');
  if (!existsSync(page)) return null;
  await server.register(fastifyStatic, {
    root: folder,
    prefix: '/console/',
    index: false,
    wildcard: false,
    decorateReply: false,
    cacheControl: true,
    maxAge: YEAR_MS,
    immutable: true,
    preCompressed: true,
    schemaHide: true,
    setHeaders: (reply) => void reply.header('x-content-type-options', 'nosniff'),
  });
  return readFileSync(page, 'utf8');
}
