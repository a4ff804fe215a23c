/**
 * What a route is. Requests are checked with its schemas; the types of the handler and the description of the API (openapi.ts) come
 * from the same schemas. `rights` says who may call it. The org of a call is determined before the body is read: the `:oid` of the
 * path, else the org of the sensor `:sid` (admit.ts). Handlers read it as `request.oid`.
 */
import type { IncomingMessage } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest, RawServerDefault, RouteGenericInterface } from 'fastify';
import type { ApiContext } from '../actions/action.ts';
import type { Rights } from '../auth/admit.ts';
import type { LastUse } from '../auth/last-use.ts';
import type { RateLimit } from '../auth/rate-limit.ts';
import type { TokenLimit } from '../auth/token-limit.ts';
import type { Identity, Tokens } from '../auth/tokens.ts';
import type { EventStreams } from '../events/event-stream.ts';
import type { BodyBudget } from './body-budget.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller; set on every route that needs a token. */
    identity: Identity;
    /** The org of the path, by its oid or its sensor; '' on other routes. */
    oid: string;
  }
}

/** What handlers use. */
export type Parts = {
  /** The page of the console; null: it is not built. */
  consolePage: string | null;
  context: ApiContext;
  tokens: Tokens;
  streams: EventStreams;
  rateLimit: RateLimit;
  tokenLimit: TokenLimit;
  /** Bodies in progress on routes that need a token, by credential; on the others, by address. */
  bodies: BodyBudget;
  openBodies: BodyBudget;
  lastUse: LastUse;
};

/** The groups of the description. */
export const TAGS = {
  tokens: 'Tokens for API keys, and the rights of a token.',
  extension: 'The extension: its actions, its schema, the live stream of what it does.',
  service: 'The same actions, for older clients.',
  orgs: 'Orgs and their subscriptions.',
  sensors: 'Sensors: listing, presence, tags, isolation, and commands for now.',
  hives: 'Rules and lookups, stored with etags.',
  about: 'This description, and the state of a process.',
} as const;

/** `response`: the answers that are not errors, by status; errors are the same for all routes. A body is a form or JSON. */
export type RouteSchema = {
  params?: TObject;
  querystring?: TObject;
  body?: TObject;
  response: Partial<Record<200 | 202, TSchema>>;
};

type Answer<S extends RouteSchema> = { [K in keyof S['response']]: StaticOf<S['response'][K]> }[keyof S['response']];
type StaticOf<T> = T extends TSchema ? Static<T> : never;

export type RequestOf<S extends RouteSchema> = FastifyRequest<
  RouteGenericInterface,
  RawServerDefault,
  IncomingMessage,
  S,
  TypeBoxTypeProvider
>;

type Named = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As fastify writes paths; parameters are decoded, so `a%2Fb` arrives as `a/b`. */
  url: string;
  rights: Rights;
  /** One sentence; docs/api.md has the same. */
  summary: string;
  tag: keyof typeof TAGS;
  /** Content type of an answer that is not JSON. */
  produces?: string;
  /** Maximum length of the body, if it is less than BODY_MAX_BYTES. */
  bodyMax?: number;
  /** Errors in the form that clients of hives read: `lc_error_code:CODE - …`. */
  hiveErrors?: boolean;
};

export type Route = Named & {
  schema: RouteSchema;
  handle(parts: Parts, request: FastifyRequest, reply: FastifyReply): unknown;
};

/** A route whose handler has the types of its schema. It returns the answer, or has sent it with `reply`. */
export function route<const S extends RouteSchema>(
  definition: Named & {
    schema: S;
    handle(
      parts: Parts,
      request: RequestOf<S>,
      reply: FastifyReply,
    ): Answer<S> | FastifyReply | Promise<Answer<S> | FastifyReply>;
  },
): Route {
  return definition as unknown as Route;
}
