/**
 * Ends tasks whose TTL is over: projection.due -> TASK_EXPIRED -> projection.announced. Redis gives each task to one process. A
 * crash in between repeats the event with the same id.
 */
import type { RolePorts } from '../ports.ts';
import type { OrgProgress } from './org-progress.ts';
import { expiredEvent } from './project.ts';

const TASKS_MAX = 500;

export async function expireTasks(
  { projection, outbox, metrics }: Pick<RolePorts, 'projection' | 'outbox' | 'metrics'>,
  progress: OrgProgress,
): Promise<void> {
  const epochs = new Map([...progress.all()].flatMap(([oid, { usable, epoch }]) => (usable ? [[oid, epoch]] : [])));
  if (epochs.size === 0) return;
  const expired = await projection.due(
    [...epochs].map(([oid, epoch]) => ({ oid, epoch })),
    TASKS_MAX,
  );
  if (expired.length === 0) return;
  await outbox.taskEvents(
    expired.map(({ oid, taskId, expiresAtMs }) => ({
      event: expiredEvent(oid, taskId, expiresAtMs),
      epoch: epochs.get(oid) ?? '',
    })),
  );
  await projection.announced(expired);
  projection.hint([...new Set(expired.map(({ oid }) => oid))]);
  metrics.expired(expired.length);
}
