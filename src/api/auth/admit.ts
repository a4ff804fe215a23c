/**
 * Admits a request or refuses it: the token is valid, its key is below the rate limit, the token names the org of the path, and the key
 * has a right that the route requires. This happens before the body is read, so that a caller without a token can't fill the memory.
 * An org that the token does not name, an org that does not exist, and a sensor of such an org get the same answer.
 */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../errors.ts';
import { isName } from '../../model/ids.ts';
import { EXTENSION } from '../../orgs/table.ts';
import type { ApiContext } from '../actions/action.ts';
import type { LastUse } from './last-use.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Identity, Tokens } from './tokens.ts';

/** The caller of a route: 'open': anyone; 'token': any valid token; 'by action': the action decides; else a key with one of these rights. */
export type Rights = 'open' | 'token' | 'by action' | readonly string[];

type Sensors = Pick<ApiContext, 'reads' | 'presencePartitionOf'>;
export type Admission = { context: Sensors; tokens: Tokens; rateLimit: RateLimit; lastUse: LastUse };

/** Sets `identity` and `oid` of the request. Throws ApiError. */
export async function admit(request: FastifyRequest, rights: Rights, admission: Admission): Promise<void> {
  const { context, tokens, rateLimit, lastUse } = admission;
  request.oid = '';
  if (rights === 'open') return;
  request.identity = await tokens.verify(request.headers.authorization);
  await rateLimit(request.identity);
  const { oid, sid } = request.params as { oid?: string; sid?: string };
  if (oid !== undefined) requireOrg(request.identity, oid);
  request.oid = oid ?? (sid === undefined ? '' : await orgOf(context, request, sid));
  if (request.oid !== '') request.logIds.oid = request.oid;
  if (sid !== undefined && isName(sid)) request.logIds.sid = sid;
  if (typeof rights !== 'string') requireRight(request.identity, request.oid, rights);
  lastUse(request.identity, request.oid);
}

/** The org for a path that names only a sensor. It is the org in the query, else the org of the token. If the token has several
 *  orgs, it is the one that has the sensor. If several have it, the call is refused: it could change the sensor of another org.
 *  If only one org is possible, the handler checks whether it has the sensor. */
async function orgOf(context: Sensors, request: FastifyRequest, sid: string): Promise<string> {
  const { oids } = request.identity;
  const { oid: asked } = request.query as { oid?: string | string[] };
  if (Array.isArray(asked)) throw new ApiError('bad_request', 'oid is given more than once: give it once.');
  if (asked) {
    requireOrg(request.identity, asked);
    return asked;
  }
  const [only] = oids;
  if (only !== undefined && oids.length === 1) return only;
  const have = isName(sid) ? await Promise.all(oids.map((oid) => hasSensor(context, oid, sid))) : [];
  const [found, ...others] = oids.filter((_oid, index) => have[index]);
  if (found === undefined)
    throw new ApiError('forbidden', 'No org of the token has this sensor: check the sid, or get a token for its org.');
  if (others.length === 0) return found;
  throw new ApiError(
    'sensor_ambiguous',
    'Several orgs of the token have a sensor with this sid: name one of them as oid in the query.',
    { data: { oids: [found, ...others] } },
  );
}

async function hasSensor(context: Sensors, oid: string, sid: string): Promise<boolean> {
  const [found] = await context.reads.readSensors(oid, context.presencePartitionOf(sid), [sid]);
  return found != null;
}

export function requireOrg({ oids }: Identity, oid: string): void {
  if (!oids.includes(oid)) throw new ApiError('forbidden', 'The token does not name this org: get one for this oid.');
}

/** One of `rights` is enough. The key must have it in the org; for a call without an org (''), in any org of the token. */
export function requireRight({ rights: has }: Identity, oid: string, rights: readonly string[]): void {
  const held = oid === '' ? [...has.values()] : [has.get(oid)];
  if (held.some((inOrg) => rights.some((right) => inOrg?.has(right)))) return;
  const [name] = rights;
  throw new ApiError('forbidden', `The API key lacks the right ${name}: use a key that has it.`, {
    data: { right: name },
  });
}

export const notSubscribed = (): ApiError =>
  new ApiError('not_subscribed', `The org is not subscribed to ${EXTENSION}: subscribe it first.`);
