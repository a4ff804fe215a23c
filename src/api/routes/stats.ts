/** Counts of an org for the last day by the minute, and its pending tasks by age. No delivery depends on them. */

import { Type } from '@sinclair/typebox';
import { pagesOf } from '../../async/pages.ts';
import { OidParams } from '../../command/fields.ts';
import { COUNTED, type Minute, minuteOf, onlineIn, percentile, STATS_MINUTES } from '../../projector/stats.ts';
import type { ApiContext } from '../actions/action.ts';
import { type Route, route } from '../http/route.ts';
import { usableStatus } from '../reads.ts';
import { isListed, readTaskPage } from '../tasks/task-pages.ts';

const PAGE_TASKS = 1_000;
/** Above this number, further tasks are not counted. */
const TASKS_MAX = 50_000;
/** Seconds; a last group has all older tasks. */
const AGES = [60, 600, 3_600, 21_600, 86_400, 604_800] as const;

const numbers = (description: string) => Type.Array(Type.Integer(), { description });
const numbersOrNull = (description: string) =>
  Type.Array(Type.Union([Type.Number(), Type.Null()]), { description: `${description}; null: unknown.` });

const Stats = Type.Object({
  minutes: numbers('The minutes, in Unix seconds, oldest first; each other list has one entry for each.'),
  online: numbersOrNull('Sensors online'),
  queued: numbers('Tasks queued.'),
  sent: numbers('Dispatches sent.'),
  done: numbers('Sensors that have answered.'),
  failed: numbers('Sensors that have answered with an error.'),
  expired: numbers('Tasks that expired.'),
  removed: numbers('Tasks removed.'),
  latency_p50: numbersOrNull(
    'Delivery latency: milliseconds from due (task known and sensor connected) to sent, first attempts, median',
  ),
  latency_p99: numbersOrNull('The same, 99th percentile'),
  backlog: Type.Array(
    Type.Object({ up_to_seconds: Type.Union([Type.Integer(), Type.Null()]), tasks: Type.Integer() }),
    { description: 'Pending tasks by age; null: older than all other groups.' },
  ),
});

export const statsRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/orgs/:oid/stats',
    rights: ['sensor.list', 'sensor.task'],
    tag: 'extension',
    summary: 'Counts of the last day by the minute, and pending tasks by age.',
    schema: { params: OidParams, response: { 200: Stats } },
    handle: async ({ context }, request) => {
      const first = minuteOf(context.nowMs()) - STATS_MINUTES + 1;
      const minutes = await context.stats.read(request.oid, first, STATS_MINUTES);
      return { ...series(minutes, first), backlog: await backlog(context, request.oid) };
    },
  }),
];

function series(minutes: readonly Minute[], first: number) {
  const counts = Object.fromEntries(
    Object.entries(COUNTED).map(([name, field]) => [name, minutes.map((minute) => minute.get(field) ?? 0)]),
  ) as Record<keyof typeof COUNTED, number[]>;
  return {
    minutes: minutes.map((_, i) => (first + i) * 60),
    online: minutes.map(onlineIn),
    ...counts,
    latency_p50: minutes.map((minute) => percentile(minute, 0.5)),
    latency_p99: minutes.map((minute) => percentile(minute, 0.99)),
  };
}

async function backlog(context: ApiContext, oid: string) {
  const { nowMs } = await usableStatus(context.reads, oid);
  const groups = [...AGES, null].map((upTo) => ({ up_to_seconds: upTo, tasks: 0 }));
  let looked = 0;
  const pages = pagesOf((cursor) => readTaskPage(context.reads, oid, 'pending', PAGE_TASKS, cursor, nowMs));
  for await (const page of pages) {
    for (const task of page.tasks.filter(isListed)) {
      const age = (nowMs - task.command.issued_at) / 1000;
      const group = groups.find(({ up_to_seconds: upTo }) => upTo === null || age <= upTo);
      if (group) group.tasks += 1;
    }
    looked += PAGE_TASKS;
    if (looked >= TASKS_MAX) break;
  }
  return groups;
}
