/** The detections of rules, newest first. */
import { Type } from '@sinclair/typebox';
import { NAME, NAME_PATTERN, OidParams, optional } from '../../command/fields.ts';
import { type Route, route } from '../http/route.ts';

const SHOWN = 200;
const SHOWN_MAX = 1_000;

const Detection = Type.Object({
  detect_id: Type.String(),
  sid: Type.Union([Type.String(), Type.Null()]),
  cat: Type.String({ description: 'The name of the report.' }),
  source: Type.String({ description: 'The hive of the rule.' }),
  priority: Type.Union([Type.Integer(), Type.Null()]),
  occurred_at: Type.Integer({ description: 'Unix ms.' }),
  body: Type.Unknown({ description: 'The detection as rules see it.' }),
});

export const detectionRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/orgs/:oid/detections',
    rights: ['dr.list', 'dr.list.managed'],
    tag: 'hives',
    summary: 'Lists the detections of the last 7 days, newest first.',
    schema: {
      params: OidParams,
      querystring: Type.Object({
        limit: optional(Type.Integer({ minimum: 1, maximum: SHOWN_MAX }), {
          expected: `a whole number from 1 to ${SHOWN_MAX}`,
          description: `At most so many; ${SHOWN} where it is not given.`,
        }),
        cat: optional(Type.String(), { expected: 'text, given once', description: 'Reports of this name alone.' }),
        sid: optional(Type.String({ pattern: `^$|${NAME_PATTERN}` }), {
          expected: `one id: ${NAME.expected}`,
          description: 'Of this sensor alone.',
        }),
      }),
      response: { 200: Type.Object({ detections: Type.Array(Detection) }) },
    },
    handle: ({ context }, request) => {
      const { limit, cat, sid } = request.query;
      // Older detections can belong to a deleted org with the same id.
      const sinceMs = context.orgs.sinceMs(request.oid);
      const where = { sinceMs, ...(cat ? { cat } : {}), ...(sid ? { sid } : {}) };
      return { detections: context.detections.list(request.oid, limit ?? SHOWN, context.nowMs(), where) };
    },
  }),
];
