/**
 * The description of the API as OpenAPI 3.1, generated from the table of routes, and its pages. All files of the pages are the
 * server's own, and their Content-Security-Policy enforces it.
 */
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifySchema } from 'fastify';
import type { HttpServer } from '../../edges/http/server.ts';
import { version } from '../../version.ts';
import { ACTIONS } from '../actions/table.ts';
import { FORM, JSON_TYPE } from './bodies.ts';
import { complete, type Document, probes, withoutNotes } from './openapi-common.ts';
import { type Route, TAGS } from './route.ts';

/** swagger-ui writes styles into its elements; scripts, fonts and requests are the server's own. */
const PAGES_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/** Call before routes are added: it sees those that come after. */
export async function describeApi(server: HttpServer): Promise<void> {
  const openapi = {
    openapi: '3.1.0',
    info: {
      title: 'Reliable Tasking',
      version: version(),
      description: 'Queues commands for sensors that may be offline, and shows their states.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    paths: probes(),
  };
  await server.register(swagger, {
    openapi: openapi as unknown as NonNullable<FastifyDynamicSwaggerOptions['openapi']>,
    hideUntagged: true,
    transform: ({ schema, url }) => ({ schema: withoutNotes(schema) as FastifySchema, url }),
    transformObject: (made) => complete((made as unknown as { openapiObject: Document }).openapiObject),
  });
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGES_POLICY,
    theme: { title: 'Reliable Tasking API' },
    uiConfig: { url: '/openapi.json', tryItOutEnabled: true, validatorUrl: null },
  });
}

/** The schema of a route, with the texts that the description needs. */
export function describedSchema({ method, url, rights, summary, tag, schema, produces }: Route): FastifySchema {
  return {
    ...schema,
    summary,
    description: neededBy(rights),
    operationId: operationIdOf(method, url),
    tags: [tag],
    consumes: [FORM, JSON_TYPE],
    produces: [produces ?? JSON_TYPE],
    security: rights === 'open' ? [] : [{ token: [] }],
  } as FastifySchema;
}

function neededBy(rights: Route['rights']): string {
  if (rights === 'open') return 'Needs no token.';
  if (rights === 'token') return 'Needs a token, whatever its rights.';
  if (rights !== 'by action') return `Needs the right ${rights.join(' or ')}.`;
  const lines = [...ACTIONS].map(([name, { summary, rights }]) => `- \`${name}\` (${rights.join(' or ')}): ${summary}`);
  return `The actions, and the right that each needs:\n${lines.join('\n')}`;
}

const operationIdOf = (method: string, url: string): string =>
  [method.toLowerCase(), ...url.split(/\W+/)].filter(Boolean).join('_');
