/** A registry in the process of the test: the few calls that the client makes, ids counted from 1, and switches for faults.
 *  What a real registry does with them is tested in test/integration/registry.test.ts. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRegistry {
  url: string;
  /** Method and path of each request, in order. */
  requests: string[];
  /** The Authorization headers seen. */
  authorizations: Set<string | undefined>;
  /** Schema texts by id, and their type where it is not Avro. */
  schemas: Map<number, { schema: string; schemaType?: string }>;
  /** Subject -> compatibility level. */
  levels: Map<string, string>;
  /** Answers every request with this status while set. */
  failWith: number | undefined;
  /** Answers registrations with 409, and that a schema is not compatible. */
  refuse: boolean;
  stop(): Promise<void>;
}

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const server = createServer((request, response) => {
    let body = '';
    registry.authorizations.add(request.headers.authorization);
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { status, body: value } = answer(registry, `${request.method} ${request.url}`, body);
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json', connection: 'close' });
      response.end(JSON.stringify(value));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const registry: FakeRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    authorizations: new Set(),
    schemas: new Map(),
    levels: new Map(),
    failWith: undefined,
    refuse: false,
    stop: () => new Promise((done) => server.close(() => done())),
  };
  return registry;
}

interface Answer {
  status: number;
  body: unknown;
}

const fault = (status: number, message: string): Answer => ({ status, body: { error_code: status, message } });

function answer(registry: FakeRegistry, call: string, body: string): Answer {
  registry.requests.push(call);
  if (registry.failWith) return fault(registry.failWith, 'out of order');
  const id = Number(/^GET \/schemas\/ids\/(\d+)/.exec(call)?.[1]);
  if (id) {
    const found = registry.schemas.get(id);
    return found ? { status: 200, body: found } : fault(404, 'Schema not found');
  }
  const [, subject = ''] = /\/(?:subjects|config)\/([^/]+)/.exec(call) ?? [];
  if (call.includes(' /config/')) return config(registry, call, subject, body);
  if (call.includes(' /compatibility/'))
    return registry.levels.has(subject)
      ? { status: 200, body: { is_compatible: !registry.refuse } }
      : fault(404, 'Subject not found');
  if (call.startsWith('GET'))
    return registry.levels.has(subject) ? { status: 200, body: [1] } : fault(404, 'not found');
  const { schema } = JSON.parse(body) as { schema: string };
  if (!call.endsWith('/versions')) {
    const known = idOf(registry, schema);
    return known ? { status: 200, body: { id: known, subject, version: 1, schema } } : fault(404, 'Schema not found');
  }
  if (registry.refuse) return fault(409, 'Schema being registered is incompatible');
  const next = idOf(registry, schema) ?? registry.schemas.size + 1;
  registry.schemas.set(next, { schema });
  return { status: 200, body: { id: next } };
}

function config(registry: FakeRegistry, call: string, subject: string, body: string): Answer {
  if (call.startsWith('PUT')) {
    registry.levels.set(subject, (JSON.parse(body) as { compatibility: string }).compatibility);
    return { status: 200, body: JSON.parse(body) };
  }
  const level = registry.levels.get(subject);
  return level ? { status: 200, body: { compatibilityLevel: level } } : fault(404, 'not found');
}

function idOf(registry: FakeRegistry, schema: string): number | undefined {
  for (const [id, known] of registry.schemas) if (known.schema === schema) return id;
  return undefined;
}
