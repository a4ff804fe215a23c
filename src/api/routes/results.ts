/** The responses of the sensors of a task. */
import { Type } from '@sinclair/typebox';
import { NAME, NAME_PATTERN, oid, optional } from '../../command/fields.ts';
import { notSubscribed } from '../auth/admit.ts';
import { sendPieces } from '../http/json-stream.ts';
import { type Route, route } from '../http/route.ts';
import { FORMATS, ResultsAnswer, resultPieces, resultsPage } from '../tasks/results.ts';

const SHOWN = 100;
const SHOWN_MAX = 1_000;

export const resultRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/orgs/:oid/tasks/:task_id/results',
    rights: ['sensor.get', 'sensor.task'],
    tag: 'extension',
    summary: 'The responses of the sensors of a task: a page, or all as JSON Lines or CSV.',
    schema: {
      params: Type.Object({
        oid,
        task_id: Type.String({ pattern: NAME_PATTERN, ...NAME, code: 'task_id_invalid', description: 'The task.' }),
      }),
      querystring: Type.Object({
        format: optional(Type.Union([Type.Literal('json'), Type.Literal('jsonl'), Type.Literal('csv')]), {
          expected: 'json, jsonl or csv',
          description: 'A page (this is the default), or every response, one a line.',
        }),
        sid: optional(Type.String({ pattern: `^$|${NAME_PATTERN}` }), {
          expected: `one id: ${NAME.expected}`,
          description: 'Of this sensor alone: up to 1000 of its responses on the page instead of 10.',
        }),
        limit: optional(Type.Integer({ minimum: 1, maximum: SHOWN_MAX }), {
          expected: `a whole number from 1 to ${SHOWN_MAX}`,
          description: `Of a page: at most so many sensors; ${SHOWN} where it is not given.`,
        }),
        cursor: optional(Type.String(), {
          expected: 'the next_cursor of an earlier answer',
          description: 'Of a page: where it starts.',
        }),
      }),
      response: { 200: ResultsAnswer },
    },
    handle: async ({ context }, request, reply) => {
      const { params, query, oid } = request;
      request.logIds.task_id = params.task_id;
      if (!context.orgs.subscribed(oid, context.nowMs())) throw notSubscribed();
      const sid = query.sid || undefined;
      if (!query.format || query.format === 'json') {
        const page = { sid, limit: query.limit ?? SHOWN, cursor: query.cursor };
        return resultsPage(context, oid, params.task_id, page);
      }
      const format = FORMATS[query.format];
      return sendPieces(reply, resultPieces(context, oid, params.task_id, sid, format), format.type);
    },
  }),
];
