/** The description is valid, says what the routes do, and its pages need nothing from elsewhere. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACTIONS } from '../../../src/api/actions/table.ts';
import { ROUTES } from '../../../src/api/routes.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { ERROR_CODES } from '../../../src/errors.ts';
import { Memory, startApi } from '../support/memory.ts';

type Operation = { summary: string; security: unknown[]; tags: string[]; responses: Record<string, unknown> };
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses: Record<string, { description: string }> };
};

let server: HttpServer;
let source: string;
let document: Document;

beforeAll(async () => {
  server = await startApi(new Memory());
  source = (await server.inject('/openapi.json')).body;
  document = JSON.parse(source);
});
afterAll(() => server.close());

test('a linter finds nothing', async () => {
  const config = await createConfig({
    extends: ['recommended-strict'],
    // /v1/{sid}/tags and /v1/tags/{oid} are paths of the public client; the router prefers words to parameters.
    rules: { 'no-ambiguous-paths': 'off', 'operation-tag-defined': 'error', 'parameter-description': 'error' },
  });
  const problems = await lintFromString({ source, config });
  expect(problems.map(({ message, location }) => [message, location[0]?.pointer])).toEqual([]);
  expect(document.openapi).toMatch(/^3\.1\./);
}, 30_000);

test('a linter finds what is wrong', async () => {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const broken = { ...document, paths: { '/x': { get: { responses: {} } } } };
  expect(await lintFromString({ source: JSON.stringify(broken), config })).not.toEqual([]);
}, 30_000);

test('it has every route of the table, and the probes, and no other', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const table = ROUTES.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`);
  const probes = ['GET /healthz', 'GET /readyz', 'GET /metrics'];
  expect(described.toSorted()).toEqual([...table, ...probes].toSorted());
});

test('each route has its errors and its need of a token', () => {
  for (const { method, url, rights } of ROUTES) {
    const path = url.replace(/:(\w+)/g, '{$1}');
    const operation = document.paths[path]?.[method.toLowerCase()];
    expect(operation?.security, path).toEqual(rights === 'open' ? [] : [{ token: [] }]);
    const errors = rights === 'open' ? ['400', '500'] : ['400', '401', '403', '404', '409', '429', '500', '503'];
    expect(Object.keys(operation?.responses ?? {}), path).toEqual(expect.arrayContaining(errors));
  }
});

test('every error code stands at its status, and the data of every action has its schema', () => {
  for (const [code, { status }] of Object.entries(ERROR_CODES))
    expect(document.components.responses[`Error${status}`]?.description).toContain(`\`${code}\``);
  for (const name of ACTIONS.keys()) expect(document.components.schemas).toHaveProperty(`${name}_data`);
  expect(source).not.toContain('"expected"');
});

test.each(['/', '/docs', '/docs/static/swagger-initializer.js', '/docs/static/swagger-ui-bundle.js'])(
  '%s comes with a strict policy, and from here',
  async (url) => {
    const answer = await server.inject(url);
    expect(answer.statusCode).toBe(200);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/);
    if (String(answer.headers['content-type']).includes('html'))
      expect(answer.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  },
);

test('what is not there below /docs is the envelope', async () => {
  const answer = await server.inject('/docs/static/nothing.js');
  expect([answer.statusCode, answer.json().error_code]).toEqual([404, 'not_found']);
});
