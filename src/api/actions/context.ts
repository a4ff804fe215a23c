/** What every action is given, and what it gives back. */
import { randomUUID } from 'node:crypto';
import type { CommandRules } from '../../command/check.ts';
import type { Origin } from '../../command/task-command.ts';
import type { TaskCommand } from '../../model/records.ts';
import type { ApiPorts } from '../ports.ts';
import type { Reads } from '../reads.ts';
import type { Applied } from '../tasks/applied.ts';

/** The same for all requests. */
export type ApiContext = Omit<ApiPorts, 'projection'> & { reads: Reads; applied: Applied; rules: CommandRules };

/** One request: who asks, for which org. */
export type ActionContext = ApiContext & {
  oid: string;
  keyName: string;
  /** The header Idempotency-Key. */
  keyHeader: string | undefined;
  /** Ids for the log line of the request. */
  logIds: { task_id?: string };
};

/** `data` for the envelope, or the text of the data's JSON in pieces, whose first piece is made before the status is. */
export type ActionResult = { status: 200 | 202; data: object } | { status: 200; pieces: AsyncGenerator<string> };

export const originOf = ({ oid, keyName, keyHeader, nowMs }: ActionContext): Origin => ({
  oid,
  issuedBy: keyName,
  nowMs: nowMs(),
  freshId: randomUUID(),
  keyHeader,
});

/** Writes commands to the log and waits until they are applied; `epoch` null: they are on the log, and will be. */
export async function appendAndWait(
  context: ActionContext,
  commands: TaskCommand[],
): Promise<{ logOffsets: { partition: number; offset: number }[]; epoch: string | null }> {
  const logOffsets = await context.commands.append(commands);
  const epoch = await context.applied.applied(context.oid, logOffsets, context.config.API_APPLY_WAIT_MS);
  return { logOffsets, epoch };
}
