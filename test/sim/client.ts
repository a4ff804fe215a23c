/** A client of the API. It does what the actions do: append, wait until applied, and for an untask until its claims are over. */
import type { TaskCommand } from '../../src/model/records.ts';
import type { Checker } from './checker.ts';
import type { Cluster } from './cluster.ts';
import type { Env } from './ports.ts';

export async function ask(env: Env, cluster: Cluster, checker: Checker, command: TaskCommand): Promise<void> {
  const [api] = cluster.of('api');
  if (!api?.alive || !api.ports || !api.applied) return;
  const { ports, applied, proc } = api;
  const { oid, task_id: taskId, action } = command;
  const say = (what: string) =>
    env.trace?.(proc.name, `${action} ${taskId} of ${oid.slice(0, 4)} ${command.untask_selector ?? ''}: ${what}`);
  say('requested');
  let offsets: { partition: number; offset: number }[];
  try {
    offsets = await ports.outbox.commands([command]);
  } catch {
    say('503');
    return;
  }
  const epoch = await applied.applied(oid, offsets, env.config.API_APPLY_WAIT_MS);
  if (epoch === null) return say('202');
  if (action === 'TASK') return say('200');
  await applied.claimsOver(oid, epoch);
  say('200');
  const offset = offsets[0]?.offset ?? -1;
  if (command.untask_selector === null) checker.onUntasked(oid, taskId, offset, env.scheduler.nowMs);
  else withdrawn(env, checker, command, offset);
}

/** Notes the deliveries that this command withdrew, as the projection has them at the answer. */
function withdrawn(
  { redis, scheduler }: Env,
  checker: Checker,
  { oid, task_id: taskId }: TaskCommand,
  offset: number,
): void {
  const { memory } = redis;
  for (const [sid, { state, extra }] of memory.row(memory.org(oid), taskId)?.deliveries ?? []) {
    if (state === 'removed' && extra === String(offset))
      checker.delivery(oid, taskId, sid).untaskedMs ??= scheduler.nowMs;
  }
}
