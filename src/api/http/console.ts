/**
 * The web console: files that `npm run build` has made, under `/console/`, and its page at `/`. Nothing comes from elsewhere
 * and no script or style stands in the page, so the policy allows neither. Names of assets carry a hash of their content:
 * they may be kept for ever, the page never. They go out as the build has compressed them, where the browser takes that.
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

/** Adds the console's files to the server; answers its page, or null where it has not been built. */
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
