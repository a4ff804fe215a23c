/**
 * Lets a request in, or not: the token stands, its key has requests left, the token names the org that the path is about,
 * and the key has a right that the route asks for. It runs before the body is read, so that a caller without a token sends no
 * megabytes into memory. An org that the token does not name, an org that does not exist and a sensor of neither look the
 * same.
 */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../errors.ts';
import { isName } from '../../model/ids.ts';
import type { ApiContext } from '../actions/context.ts';
import type { Parts, Rights } from '../http/route.ts';
import { requireOrg, requireRight } from './authorize.ts';

/** Sets `identity` and `oid` of the request. Throws ApiError. */
export async function admit(request: FastifyRequest, rights: Rights, parts: Parts): Promise<void> {
  const { context, tokens } = parts;
  request.oid = '';
  if (rights === 'open') return;
  request.identity = await tokens.verify(request.headers.authorization);
  await parts.rateLimit(request.identity);
  const { oid, sid } = request.params as { oid?: string; sid?: string };
  if (oid !== undefined) requireOrg(request.identity, oid);
  request.oid = oid ?? (sid === undefined ? '' : await orgOf(context, request, sid));
  if (request.oid !== '') request.logIds.oid = request.oid;
  if (sid !== undefined && isName(sid)) request.logIds.sid = sid;
  if (typeof rights !== 'string') requireRight(request.identity, request.oid, rights);
  parts.lastUse(request.identity, request.oid);
}

/** The org for a path that names only a sensor. It is the org in the query, else the org of the token. If the token has several
 *  orgs, it is the one that has the sensor. If several have it, the call is refused: it could change the sensor of another org.
 *  If only one org is possible, the handler checks whether it has the sensor. */
async function orgOf(context: ApiContext, request: FastifyRequest, sid: string): Promise<string> {
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

async function hasSensor(context: ApiContext, oid: string, sid: string): Promise<boolean> {
  const [found] = await context.reads.readSensors(oid, context.presencePartitionOf(sid), [sid]);
  return found != null;
}
