/**
 * The parts that all routes of the description share: the error answers with their codes, the data of the actions, and the probes of
 * every process. Pure.
 */
import { Type } from '@sinclair/typebox';
import { ActivitySchema } from '../../command/activity.ts';
import { ERROR_CODES } from '../../errors.ts';
import { ACTIONS } from '../actions/table.ts';
import { ResultLineSchema } from '../tasks/results.ts';

type Json = Record<string, unknown>;
type Operation = {
  tags?: string[];
  security?: unknown[];
  responses: Json;
  requestBody?: { content: Record<string, { schema: Json }> };
};
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Json; responses: Json; securitySchemes: Json };
};

/** Properties of schemas for error sentences (reader.ts) that OpenAPI does not know. */
const NOTES: ReadonlySet<string> = new Set(['expected', 'code', 'missing']);

export function withoutNotes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutNotes);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key]) => !NOTES.has(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, key === 'properties' ? eachWithout(value) : withoutNotes(value)]),
  );
}

/** The keys of properties are names of fields, not of schema parts. */
const eachWithout = (properties: Json): Json =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, withoutNotes(schema)]));

const error = Type.Object({
  error: Type.String({ description: 'What to do.' }),
  error_code: Type.String({ description: 'Never changes its meaning.' }),
  retriable: Type.Boolean({ description: 'Whether the same request may succeed later.' }),
  version: Type.Literal(1),
  data: Type.Object({}, { description: 'For programs, by code.' }),
});

const statuses = [...new Set(Object.values(ERROR_CODES).map(({ status }) => status))].toSorted();

/** Adds the shared parts to a document with the routes. */
export function complete(document: Document): Document {
  const { components } = document;
  components.schemas.Error = withoutNotes(error);
  components.responses = Object.fromEntries(statuses.map((status) => [`Error${status}`, errorsOf(status)]));
  components.schemas.activity = withoutNotes(ActivitySchema);
  for (const [name, { schema, answers }] of ACTIONS) {
    components.schemas[`${name}_data`] = withoutNotes(schema);
    for (const [status, kind] of ANSWERED)
      if (answers[status]) components.schemas[`${name}_${kind}`] = withoutNotes(answers[status]);
  }
  for (const path of Object.values(document.paths)) for (const operation of Object.values(path)) addErrors(operation);
  const request = document.paths['/v1/extension/request/{name}']?.post;
  describeData(request);
  describeAnswers(request);
  describeEvents(document.paths['/v1/orgs/{oid}/events']?.get);
  components.schemas.result = withoutNotes(ResultLineSchema);
  describeLines(document.paths['/v1/orgs/{oid}/tasks/{task_id}/results']?.get);
  return document;
}

function errorsOf(status: number) {
  const kinds = Object.entries(ERROR_CODES).filter(([, kind]) => kind.status === status);
  const description = kinds.map(([code, { summary }]) => `- \`${code}\`: ${summary}`).join('\n');
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}

const WITH_TOKEN = [401, 403, 404, 409, 429, 503];
const WITH_BODY = [413, 415];
/** For requests for a token, too. */
const FOR_TOKEN = [401, 429];

function addErrors({ responses, requestBody, security, tags }: Operation): void {
  const own = [...(security?.length ? WITH_TOKEN : []), ...(requestBody ? WITH_BODY : [])];
  if (!security?.length && tags?.includes('tokens')) own.push(...FOR_TOKEN);
  for (const status of [400, 408, ...own, 431, 500])
    responses[status] ??= { $ref: `#/components/responses/Error${status}` };
}

/** The data of a request is the data of one action, or its JSON as text. */
function describeData(operation: Operation | undefined): void {
  const refs = [...ACTIONS.keys()].map((name) => ({ $ref: `#/components/schemas/${name}_data` }));
  for (const { schema } of Object.values(operation?.requestBody?.content ?? {})) {
    const properties = schema.properties as Record<string, Json>;
    properties.data = { ...properties.data, anyOf: [{ type: 'string' }, ...refs] };
  }
}

/** The data of each event, as JSON. */
function describeEvents(operation: Operation | undefined): void {
  const { content } = (operation?.responses[200] ?? {}) as { content?: Record<string, { schema: Json }> };
  for (const { schema } of Object.values(content ?? {}))
    schema.contentSchema = { $ref: '#/components/schemas/activity' };
}

/** The other formats of results. Each line of JSON Lines is one result. */
function describeLines(operation: Operation | undefined): void {
  const { content } = (operation?.responses[200] ?? { content: {} }) as { content: Record<string, { schema: Json }> };
  content['application/x-ndjson'] = {
    schema: { type: 'string', contentSchema: { $ref: '#/components/schemas/result' } },
  };
  content['text/csv'] = { schema: { type: 'string' } };
}

const ANSWERED = [
  [200, 'answer'],
  [202, 'accepted'],
] as const;

/** The data of an answer is the data of one action. */
function describeAnswers(operation: Operation | undefined): void {
  for (const [status, kind] of ANSWERED) {
    const { content } = (operation?.responses[status] ?? {}) as { content?: Record<string, { schema: Json }> };
    const names = [...ACTIONS].filter(([, { answers }]) => answers[status]).map(([name]) => name);
    const anyOf = names.map((name) => ({ $ref: `#/components/schemas/${name}_${kind}` }));
    for (const { schema } of Object.values(content ?? {}))
      (schema.properties as Json).data = { description: 'By action.', anyOf };
  }
}

const answer = (description: string, type: string, schema: Json) => ({ description, content: { [type]: { schema } } });
const report = (description: string) => answer(description, 'application/json', { type: 'object' });
const probe = (operationId: string, summary: string, responses: Json) => ({
  get: { operationId, summary, tags: ['about'], security: [], responses },
});

/** Answered by every process, whatever its roles; they are not in the table of routes. */
export const probes = (): Document['paths'] => ({
  '/healthz': probe('get_healthz', 'Says that the process is alive.', { 200: report('The process is alive.') }),
  '/readyz': probe('get_readyz', 'Says whether every role of the process has caught up.', {
    200: report('Every role has caught up.'),
    503: report('A role has not caught up: which one, and why.'),
  }),
  '/metrics': probe('get_metrics', 'Metrics for Prometheus.', {
    200: answer('Metrics in the text format.', 'text/plain', { type: 'string' }),
  }),
});
