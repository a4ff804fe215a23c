/**
 * "Task now": commands for one sensor that is online, sent at once or not at all. Each is a TASK for that sid with a short TTL and the
 * option `direct`: it is not listed, keeps the given investigation id, is done when it is sent, and is never sent again.
 */
import { randomUUID } from 'node:crypto';
import { directCommandOf } from '../../command/task-command.ts';
import { ApiError, inDoubt } from '../../errors.ts';
import { EXTENSION } from '../../orgs/table.ts';
import type { ApiContext } from '../actions/action.ts';
import { notSubscribed } from '../auth/admit.ts';
import { usableStatus } from '../reads.ts';
import { knownSensor } from './sensors.ts';

export type TaskNow = { oid: string; sid: string; tasks: readonly string[]; investigationId: string; keyName: string };

const POLL_MS = 20;

/** True when all were sent. False if that takes longer than API_APPLY_WAIT_MS: the commands are on the log and may still be sent within
 *  their TTL. Throws `not_subscribed`, `sensor_unknown`, `sensor_offline`, or the error of a command: then nothing is written. */
export async function taskNow(context: ApiContext, wanted: TaskNow): Promise<boolean> {
  const { oid, sid, tasks, investigationId, keyName } = wanted;
  if (!context.orgs.subscribed(oid, context.nowMs())) throw notSubscribed();
  await usableStatus(context.reads, oid);
  const { online } = await knownSensor(context, oid, sid);
  if (!online)
    throw new ApiError(
      'sensor_offline',
      `The sensor ${sid} is offline: use the action task of ${EXTENSION}, which sends it when the sensor connects.`,
    );
  const commands = tasks.map((task) => {
    const origin = { oid, issuedBy: keyName, nowMs: context.nowMs(), freshId: randomUUID(), keyHeader: undefined };
    return directCommandOf({ task, sid, context: investigationId }, origin, context.rules);
  });
  await context.commands.append(commands).catch((error) => {
    throw inDoubt(error, 'The commands may still be sent: check GET /v1/{sid}/tasks before you send them again.');
  });
  const ids = commands.map(({ task_id }) => task_id);
  return untilSent(context, oid, sid, ids);
}

async function untilSent(
  { reads, config, clock }: ApiContext,
  oid: string,
  sid: string,
  ids: string[],
): Promise<boolean> {
  const deadlineMs = clock.monoMs() + config.API_APPLY_WAIT_MS;
  let left = ids;
  for (;;) {
    const deliveries = await Promise.all(left.map((id) => reads.readDelivery(oid, id, sid).catch(() => null)));
    left = left.filter((_, i) => deliveries[i]?.state !== 'done' && deliveries[i]?.state !== 'failed');
    if (left.length === 0) return true;
    if (clock.monoMs() >= deadlineMs) return false;
    await clock.delay(POLL_MS);
  }
}
