/** The caller of a token, its orgs, and their subscriptions. */
import { Type } from '@sinclair/typebox';
import { Empty, OidParams, oid, optional } from '../../command/fields.ts';
import { ApiError } from '../../errors.ts';
import { changeSubscription, subscribed, unsubscribed } from '../../orgs/subscription.ts';
import { EXTENSION } from '../../orgs/table.ts';
import { notSubscribed } from '../auth/admit.ts';
import { orgsOf, whoIs } from '../auth/who.ts';
import { type Parts, type Route, route } from '../http/route.ts';

const PAGE_MAX = 1_000;
/** A right for rules or tasks is enough to see whether the org is subscribed. */
const READ = ['ext.request', 'ext.sub', 'sensor.list', 'sensor.task', 'dr.list'];

const texts = Type.Array(Type.String());

const who = route({
  method: 'GET',
  url: '/v1/who',
  rights: 'token',
  tag: 'tokens',
  summary: 'Shows the orgs and rights of the token.',
  schema: {
    response: {
      200: Type.Union([
        Type.Object({ orgs: texts, perms: texts }, { description: 'A key of one org.' }),
        Type.Object({ orgs: texts, user_perms: Type.Record(Type.String(), texts) }, { description: 'Several orgs.' }),
      ]),
    },
  },
  handle: (_parts, { identity }) => whoIs(identity),
});

const userOrgs = route({
  method: 'GET',
  url: '/v1/user/orgs',
  rights: 'token',
  tag: 'orgs',
  summary: 'Lists the orgs that the key of the token has access to.',
  schema: {
    querystring: Type.Object({
      offset: optional(Type.Integer({ minimum: 0, maximum: 1_000_000 }), {
        expected: 'a whole number from 0 to 1000000',
        description: 'How many orgs to skip.',
      }),
      limit: optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX }), {
        expected: `a whole number from 1 to ${PAGE_MAX}`,
        description: `At most so many orgs; ${PAGE_MAX} where it is not given.`,
      }),
      filter: optional(Type.String(), { expected: 'text', description: 'Part of the name or the oid, in any case.' }),
      sort_by: optional(Type.Union([Type.Literal('name'), Type.Literal('description')]), {
        expected: 'name or description',
        description: 'What to sort by; orgs have no description, so that both are the name.',
      }),
      sort_order: optional(Type.Union([Type.Literal('asc'), Type.Literal('desc')]), {
        expected: 'asc or desc',
        description: 'asc where it is not given.',
      }),
    }),
    response: {
      200: Type.Object({
        orgs: Type.Array(Type.Object({ oid: Type.String(), name: Type.String() })),
        total: Type.Integer({ description: 'The number of orgs on all pages.' }),
      }),
    },
  },
  handle: ({ context }, { identity, query }) =>
    orgsOf(identity, context.orgs, context.nowMs(), {
      offset: query.offset ?? 0,
      limit: query.limit ?? PAGE_MAX,
      filter: query.filter ?? '',
      descending: query.sort_order === 'desc',
    }),
});

const subscriptions = route({
  method: 'GET',
  url: '/v1/orgs/:oid/subscriptions',
  rights: READ,
  tag: 'orgs',
  summary: 'Lists the extensions that the org is subscribed to, by name.',
  schema: {
    params: OidParams,
    response: {
      200: Type.Record(
        Type.String(),
        Type.Object({ name: Type.String(), subscribed_at: Type.Integer({ description: 'Unix ms.' }) }),
      ),
    },
  },
  handle: ({ context: { orgs, nowMs } }, request) => {
    const since = orgs
      .periods(request.oid)
      .find(({ from, to }) => from <= nowMs() && (to === undefined || nowMs() < to));
    return since ? { [EXTENSION]: { name: EXTENSION, subscribed_at: since.from } } : {};
  },
});

const params = Type.Object({ oid, name: Type.String({ description: 'The extension.' }) });

type Change = { parts: Parts; oid: string; by: string };

/** The three calls for a subscription; each returns `{}`. */
const subscription = (
  method: 'POST' | 'DELETE' | 'PATCH',
  summary: string,
  run: (change: Change) => Promise<void> | void,
): Route =>
  route({
    method,
    url: '/v1/orgs/:oid/subscription/extension/:name',
    rights: ['ext.sub'],
    tag: 'orgs',
    summary,
    schema: { params, response: { 200: Empty } },
    handle: async (parts, request) => {
      if (request.params.name !== EXTENSION)
        throw new ApiError('extension_unknown', `There is no such extension: use ${EXTENSION}.`);
      await run({ parts, oid: request.oid, by: request.identity.keyName });
      return {};
    },
  });

const changing = (change: typeof subscribed) => (given: Change) => {
  const { settings, config, nowMs } = given.parts.context;
  const keptMs = (config.TTL_MAX_SECONDS + config.ENDED_RETENTION_SECONDS) * 1000;
  return changeSubscription(settings, change, { oid: given.oid, by: given.by, nowMs: nowMs(), keptMs });
};

export const orgRoutes: readonly Route[] = [
  who,
  userOrgs,
  subscriptions,
  subscription('POST', 'Subscribes the org. A repeat changes nothing.', changing(subscribed)),
  subscription('DELETE', 'Unsubscribes the org. Its tasks wait until it subscribes again.', changing(unsubscribed)),
  subscription('PATCH', 'Does nothing: the extension has no key of its own.', (change) => {
    const { orgs, nowMs } = change.parts.context;
    if (!orgs.subscribed(change.oid, nowMs())) throw notSubscribed();
  }),
];
