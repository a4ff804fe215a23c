/** The tasks that one sensor was sent or has run. */
import { Type } from '@sinclair/typebox';
import { optional, SidParams, whoseSensor } from '../../command/fields.ts';
import { type Route, route } from '../http/route.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { HistoryAnswer, sensorHistory } from '../sensors/sensor-history.ts';
import { knownSensor } from '../sensors/sensors.ts';

const SHOWN = 100;
const SHOWN_MAX = 1_000;

export const historyRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/:sid/tasks',
    rights: ['sensor.list', 'sensor.get', 'sensor.task'],
    tag: 'sensors',
    summary: 'Lists the tasks that a sensor was sent or has run, newest first.',
    schema: {
      params: SidParams,
      querystring: Type.Object({
        ...whoseSensor,
        limit: optional(Type.Integer({ minimum: 1, maximum: SHOWN_MAX }), {
          expected: `a whole number from 1 to ${SHOWN_MAX}`,
          description: `At most so many tasks; ${SHOWN} where it is not given.`,
        }),
      }),
      response: { 200: HistoryAnswer },
    },
    handle: async ({ context }, { oid, params: { sid }, query: { limit } }) => {
      const { epoch, nowMs } = await usableStatus(context.reads, oid);
      const { online } = await knownSensor(context, oid, sid);
      const history = await sensorHistory(context.reads, oid, { sid, online }, limit ?? SHOWN, nowMs);
      await stillUsable(context.reads, oid, epoch);
      return history;
    },
  }),
];
