/** Sensors: listing, presence, direct tasks, isolation, forgetting. Tags are in tags.ts. */
import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { Empty, OidParams, optional, SidParams, SidQuery } from '../../command/fields.ts';
import { readTarget } from '../../command/target.ts';
import { parseSelector } from '../../selector/language/parse.ts';
import { sendObject } from '../http/json-stream.ts';
import { type Route, route } from '../http/route.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { onlineOf, presenceOfAll } from '../sensors/sensor-online.ts';
import { sensorPage } from '../sensors/sensor-pages.ts';
import { SensorEntrySchema, sensorObject } from '../sensors/sensor-view.ts';
import { writePresence } from '../sensors/sensor-writes.ts';
import { knownSensor } from '../sensors/sensors.ts';
import { taskNow } from '../sensors/task-now.ts';

const PAGE_SENSORS = 1_000;
const PAGE_SENSORS_MAX = 10_000;
const TASKS_MAX = 100;
const SIDS_MAX = 10_000;

const text = (description: string) => optional(Type.String(), { expected: 'text, given once', description });
const Accepted = Type.Object({}, { description: 'The change is on the log and will be applied.' });
const changed = { 200: Empty, 202: Accepted };

const LIST = ['sensor.list'];
const GET = ['sensor.get', 'sensor.list'];
const TASK = ['sensor.task'];

/** 200: the change is applied. 202: it is on the log and will be applied. */
export function answerChange(reply: FastifyReply, applied: boolean): Record<string, never> {
  reply.code(applied ? 200 : 202);
  return {};
}

export const sensorRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/sensors/:oid',
    rights: LIST,
    tag: 'sensors',
    summary: 'Lists the sensors of an org, page by page.',
    schema: {
      params: OidParams,
      querystring: Type.Object({
        selector: text('Only sensors that it selects.'),
        limit: optional(Type.Integer({ minimum: 1 }), {
          expected: 'a whole number from 1',
          description: `At most so many on a page; ${PAGE_SENSORS} unless given; more than ${PAGE_SENSORS_MAX} counts as ${PAGE_SENSORS_MAX}.`,
        }),
        continuation_token: text('The continuation_token of the last answer.'),
        with_ip: text('Only sensors with this internal or external address.'),
        with_hostname_prefix: text('Only sensors whose host name starts with this, case-insensitive.'),
        is_online_only: optional(Type.Boolean(), {
          expected: 'true or false',
          description: 'Only sensors that are online.',
        }),
      }),
      response: {
        200: Type.Object(
          { sensors: Type.Array(SensorEntrySchema), continuation_token: Type.Optional(Type.String()) },
          { description: 'A page. The last page has no continuation_token.' },
        ),
      },
    },
    handle: async ({ context }, { oid, query }) => {
      const { selector } = readTarget({ selector: query.selector ?? null });
      const { epoch } = await usableStatus(context.reads, oid);
      const filter = {
        tree: parseSelector(selector),
        ip: query.with_ip || null,
        hostnamePrefix: query.with_hostname_prefix || null,
        onlineOnly: query.is_online_only === true,
      };
      const listing = JSON.stringify(['sensors', selector, filter.ip, filter.hostnamePrefix, filter.onlineOnly]);
      const limit = Math.min(query.limit ?? PAGE_SENSORS, PAGE_SENSORS_MAX);
      const page = await sensorPage(context, oid, listing, filter, limit, query.continuation_token ?? null);
      await stillUsable(context.reads, oid, epoch);
      const sensors = page.sensors.map(({ view }) => sensorObject(view, context.nowMs()));
      return page.next === null ? { sensors } : { sensors, continuation_token: page.next };
    },
  }),
  route({
    method: 'GET',
    url: '/v1/:sid',
    rights: GET,
    tag: 'sensors',
    summary: 'Shows one sensor.',
    schema: {
      params: SidParams,
      querystring: SidQuery,
      response: {
        200: Type.Object(
          {
            info: SensorEntrySchema,
            online: Type.Record(Type.String(), Type.Unknown(), { description: 'Empty while it is offline.' }),
            is_online: Type.Boolean(),
          },
          { description: 'The sensor.' },
        ),
      },
    },
    handle: async ({ context }, { oid, params: { sid } }) => {
      const { epoch } = await usableStatus(context.reads, oid);
      const { view, online } = await knownSensor(context, oid, sid);
      await stillUsable(context.reads, oid, epoch);
      const info = sensorObject(view, context.nowMs());
      return { info, online: online ? { [sid]: info.alive } : {}, is_online: online };
    },
  }),
  route({
    method: 'POST',
    url: '/v1/:sid',
    rights: TASK,
    tag: 'sensors',
    summary: 'Sends direct tasks to a sensor that is online.',
    schema: {
      params: SidParams,
      querystring: SidQuery,
      body: Type.Object({
        tasks: Type.Array(Type.String(), {
          minItems: 1,
          maxItems: TASKS_MAX,
          expected: `1 to ${TASKS_MAX} command lines`,
          missing: 'task_missing',
          description: 'The command lines.',
        }),
        investigation_id: text('Returned unchanged in every answer of the sensor.'),
      }),
      response: changed,
    },
    handle: async ({ context }, { identity, oid, params: { sid }, body }, reply) => {
      const { tasks, investigation_id } = body;
      const wanted = { oid, sid, tasks, investigationId: investigation_id ?? '', keyName: identity.keyName };
      return answerChange(reply, await taskNow(context, wanted));
    },
  }),
  route({
    method: 'DELETE',
    url: '/v1/:sid',
    rights: ['sensor.del'],
    tag: 'sensors',
    summary: 'Forgets a sensor: removes its facts, tags and presence.',
    schema: { params: SidParams, querystring: SidQuery, response: changed },
    handle: async ({ context }, { oid, params: { sid } }, reply) => {
      await usableStatus(context.reads, oid);
      await knownSensor(context, oid, sid);
      return answerChange(reply, await writePresence(context, oid, sid, { event: 'FORGOTTEN' }));
    },
  }),
  route({
    method: 'POST',
    url: '/v1/online/:oid',
    rights: GET,
    tag: 'sensors',
    summary: 'Shows which sensors are online.',
    schema: {
      params: OidParams,
      body: Type.Object({
        sids: Type.Optional(
          Type.Array(Type.String(), {
            maxItems: SIDS_MAX,
            expected: `at most ${SIDS_MAX} sids`,
            description: 'Only these sensors; by default all.',
          }),
        ),
      }),
      response: { 200: Type.Record(Type.String(), Type.Boolean(), { description: 'Whether each is online.' }) },
    },
    handle: async ({ context }, { oid, body: { sids } }, reply) => {
      const { epoch } = await usableStatus(context.reads, oid);
      if (!sids || sids.length === 0) return sendObject(reply, presenceOfAll(context, oid, epoch));
      const online = await onlineOf(context, oid, sids);
      await stillUsable(context.reads, oid, epoch);
      return online;
    },
  }),
  ...(
    [
      ['POST', true, 'the isolation'],
      ['DELETE', false, 'the end of the isolation'],
    ] as const
  ).map(([method, isolated, what]) =>
    route({
      method,
      url: '/v1/:sid/isolation',
      rights: TASK,
      tag: 'sensors',
      summary: `Requests ${what} of a sensor. The gateway applies it.`,
      schema: { params: SidParams, querystring: SidQuery, response: changed },
      handle: async ({ context }, { oid, params: { sid } }, reply) => {
        await usableStatus(context.reads, oid);
        await knownSensor(context, oid, sid);
        return answerChange(reply, await writePresence(context, oid, sid, { set_should_isolate: isolated }));
      },
    }),
  ),
];
