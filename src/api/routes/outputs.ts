/** Where the outputs of an org are forwarded to. The values of headers are never shown. */
import { Type } from '@sinclair/typebox';
import { Empty, OidParams, oid, optional } from '../../command/fields.ts';
import { ApiError } from '../../errors.ts';
import type { OutputFailure } from '../../responder/outputs/memory.ts';
import { checkOutputName, readOutput, shownOutput } from '../../responder/outputs/setting.ts';
import { parseJson } from '../http/json.ts';
import { type Parts, type Route, route } from '../http/route.ts';
import { within } from '../reads.ts';

const Named = Type.Object({ oid, name: Type.String({ description: 'The output, as rules name it.' }) });
const OUTPUTS_MAX = 1_000;
const FAILURES_MS = 1_000;
const text = { expected: 'text, given once' };

const rulesOf = ({ context }: Parts) => ({
  outputDir: context.config.OUTPUT_DIR,
  allowPrivate: context.config.OUTPUT_ALLOW_PRIVATE,
});

export const outputRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/orgs/:oid/outputs',
    rights: ['dr.list'],
    tag: 'hives',
    summary: 'Lists where the outputs of the org are forwarded, with the last failures.',
    schema: {
      params: OidParams,
      response: { 200: Type.Object({ outputs: Type.Record(Type.String(), Type.Unknown()) }) },
    },
    handle: async (parts, request) => {
      const failures = await failuresOf(parts, request.oid);
      const shown = parts.context.settings
        .list(request.oid, 'OUTPUT')
        .map(({ name, value }) => [name, { ...shownSetting(value), ...shownFailure(failures?.get(name)) }]);
      return { outputs: Object.fromEntries(shown) };
    },
  }),
  route({
    method: 'POST',
    url: '/v1/orgs/:oid/outputs/:name',
    rights: ['dr.set'],
    tag: 'hives',
    summary: 'Forwards an output to a webhook or a file.',
    schema: {
      params: Named,
      body: Type.Object({
        type: Type.Union([Type.Literal('webhook'), Type.Literal('file')], { expected: 'webhook or file' }),
        url: optional(Type.String(), { ...text, description: 'Of the webhook: http or https.' }),
        headers: Type.Optional(Type.Unknown({ description: 'Of the webhook: an object of texts, or its JSON.' })),
        path: optional(Type.String(), { ...text, description: 'Of the file, below the folder of the org.' }),
      }),
      response: { 200: Empty },
    },
    handle: async (parts, request) => {
      const { name } = request.params;
      checkOutputName(name);
      const target = readOutput({ ...request.body, headers: headersOf(request.body.headers) }, rulesOf(parts));
      refuseMore(parts, request.oid, name);
      await parts.context.settings.write({
        oid: request.oid,
        kind: 'OUTPUT',
        name,
        by: request.identity.keyName,
        value: target,
      });
      await forgetFailures(parts, request.oid, name);
      return {};
    },
  }),
  route({
    method: 'DELETE',
    url: '/v1/orgs/:oid/outputs/:name',
    rights: ['dr.del'],
    tag: 'hives',
    summary: 'Stops forwarding an output.',
    schema: { params: Named, response: { 200: Empty } },
    handle: async (parts, request) => {
      const { context } = parts;
      const { oid: org, params } = request;
      if (context.settings.get(org, 'OUTPUT', params.name) === undefined)
        throw new ApiError('output_unknown', `The output ${params.name} is not forwarded anywhere.`);
      await context.settings.write({
        oid: org,
        kind: 'OUTPUT',
        name: params.name,
        by: request.identity.keyName,
        value: null,
      });
      await forgetFailures(parts, org, params.name);
      return {};
    },
  }),
];

function shownSetting(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return shownOutput(readOutput(value, { outputDir: '-', allowPrivate: true }));
  } catch {
    return { type: 'unknown' };
  }
}

const shownFailure = (failure: OutputFailure | undefined) =>
  failure === undefined
    ? {}
    : { last_failure: { reason: failure.reason, at: failure.atMs }, undelivered: failure.undelivered };

/** The last failures; none if Redis does not answer. */
const failuresOf = ({ context }: Parts, org: string) =>
  within(FAILURES_MS, 'Redis', context.outputMemory.failures(org)).catch(() => undefined);

/** Earlier failures belong to another target. The output is set even if this fails. */
const forgetFailures = ({ context }: Parts, org: string, name: string): Promise<void> =>
  within(FAILURES_MS, 'Redis', context.outputMemory.forget(org, name)).catch(() => undefined);

function refuseMore({ context: { settings } }: Parts, oid: string, name: string): void {
  if (settings.get(oid, 'OUTPUT', name) !== undefined || settings.list(oid, 'OUTPUT').length < OUTPUTS_MAX) return;
  throw new ApiError('output_invalid', `An org has at most ${OUTPUTS_MAX} outputs: delete one first.`);
}

function headersOf(value: unknown): unknown {
  if (typeof value !== 'string' || value === '') return value === '' ? undefined : value;
  return parseJson(value, 'headers', 'output_invalid');
}
