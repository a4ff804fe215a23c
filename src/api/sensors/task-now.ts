/**
 * "Task now": commands for one sensor that is online, sent at once or not at all. Each is a TASK for that sid with a short
 * ttl and the option `direct`: not listed, with the investigation id as given, done when sent and never sent again.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { directCommandOf } from '../../command/task-command.ts';
import { ApiError, inDoubt } from '../../errors.ts';
import { EXTENSION } from '../../orgs/table.ts';
import type { ApiContext } from '../actions/context.ts';
import { notSubscribed } from '../auth/authorize.ts';
import { usableStatus } from '../reads.ts';
import { knownSensor } from './sensors.ts';

export type TaskNow = { oid: string; sid: string; tasks: readonly string[]; investigationId: string; keyName: string };

const POLL_MS = 20;

/** True when all were sent; false where that takes longer than API_APPLY_WAIT_MS: they are on the log, and may still be sent
 *  within their ttl. Throws `not_subscribed`, `sensor_unknown`, `sensor_offline`, or what is wrong with a command: then nothing is written. */
export async function taskNow(context: ApiContext, wanted: TaskNow): Promise<boolean> {
  const { oid, sid, tasks, investigationId, keyName } = wanted;
  if (!context.orgs.subscribed(oid, context.nowMs())) throw notSubscribed();
  await usableStatus(context.reads, oid);
  const { online } = await knownSensor(context, oid, sid);
  if (!online)
    throw new ApiError(
      'sensor_offline',
      `The sensor ${sid} is offline: use the action task of ${EXTENSION}, which waits.`,
    );
  const commands = tasks.map((task) => {
    const origin = { oid, issuedBy: keyName, nowMs: context.nowMs(), freshId: randomUUID(), keyHeader: undefined };
    return directCommandOf({ task, sid, context: investigationId }, origin, context.rules);
  });
  await context.commands.append(commands).catch((error) => {
    throw inDoubt(error, 'The commands may be sent all the same: see GET /v1/{sid}/tasks before you send them again.');
  });
  const ids = commands.map(({ task_id }) => task_id);
  return untilSent(context, oid, sid, ids);
}

async function untilSent({ reads, config }: ApiContext, oid: string, sid: string, ids: string[]): Promise<boolean> {
  const deadlineMs = performance.now() + config.API_APPLY_WAIT_MS;
  let left = ids;
  for (;;) {
    const deliveries = await Promise.all(left.map((id) => reads.readDelivery(oid, id, sid).catch(() => null)));
    left = left.filter((_, i) => deliveries[i]?.state !== 'done' && deliveries[i]?.state !== 'failed');
    if (left.length === 0) return true;
    if (performance.now() >= deadlineMs) return false;
    await delay(POLL_MS);
  }
}
