/** The start page, and the description of the API. */
import { Type } from '@sinclair/typebox';
import { CONSOLE_POLICY } from '../http/console.ts';
import { type Route, route } from '../http/route.ts';

/** The page loads nothing and runs no scripts. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Reliable Tasking</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 10vh auto; padding: 0 1rem }
</style>
<main>
  <h1>Reliable Tasking</h1>
  <p>Queues commands for sensors that may be offline. A task is written once; every sensor that its selector matches gets it
  when it is, or comes, online, until it answers or the task's time is over.</p>
  <ul>
    <li><a href="/docs">The API</a>, with a form for every call</li>
    <li><a href="/openapi.json">Its description</a> as OpenAPI 3.1, for programs</li>
    <li><a href="/readyz">The state of this process</a></li>
  </ul>
</main>
</html>
`;

export const aboutRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/',
    rights: 'open',
    tag: 'about',
    summary: 'The web console. If it is not built, a page that describes the server.',
    produces: 'text/html',
    schema: { response: { 200: Type.String({ description: 'The page.' }) } },
    handle: ({ consolePage }, _request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', consolePage === null ? POLICY : CONSOLE_POLICY)
        .header('cache-control', 'no-cache')
        .send(consolePage ?? PAGE),
  }),
  route({
    method: 'GET',
    url: '/openapi.json',
    rights: 'open',
    tag: 'about',
    summary: 'The API description, as OpenAPI 3.1. `/docs` displays it.',
    schema: { response: { 200: Type.Object({}, { description: 'The document.' }) } },
    handle: async (_parts, request) => request.server.swagger(),
  }),
];
