/** What an action of the extension is, what it gets, and what it returns. */
import { randomUUID } from 'node:crypto';
import type { Static, TObject } from '@sinclair/typebox';
import type { CommandRules } from '../../command/check.ts';
import { readerOf } from '../../command/reader.ts';
import type { Origin } from '../../command/task-command.ts';
import type { TaskCommand } from '../../model/records.ts';
import type { ApiPorts } from '../ports.ts';
import type { Reads } from '../reads.ts';
import type { Applied } from '../tasks/applied.ts';

/** The same for all requests. */
export type ApiContext = Omit<ApiPorts, 'projection'> & { reads: Reads; applied: Applied; rules: CommandRules };

/** One request: its caller and its org. */
export type ActionContext = ApiContext & {
  oid: string;
  keyName: string;
  /** The header Idempotency-Key. */
  keyHeader: string | undefined;
  /** Ids for the log line of the request. */
  logIds: { task_id?: string };
};

/** `data` of the answer by status. 202: the change is on the log and will be applied. */
export type Answers = { 200: TObject; 202?: TObject };

type Streamed = { status: 200; pieces: AsyncGenerator<string> };

/** `data` for the envelope, or the JSON text of the data in pieces. The first piece is made before the status is sent. */
export type ActionResult = { status: 200 | 202; data: object } | Streamed;

/** The results that the answers of an action allow. */
export type ResultOf<A extends Answers> =
  | { status: 200; data: Static<A[200]> }
  | (A[202] extends TObject ? { status: 202; data: Static<A[202]> } : never);

type Description<S extends TObject, A extends Answers> = {
  name: string;
  /** One of them is enough. */
  rights: readonly string[];
  summary: string;
  /** Requests are checked with it; the extension's schema and the description of the API show it. */
  schema: S;
  /** Of each list, one field is required. */
  oneOf?: string[][];
  /** The description of the API shows them; the tests check every answer with them. */
  answers: A;
};

export type Action = Description<TObject, Answers> & {
  run(data: unknown, context: ActionContext): Promise<ActionResult>;
};

/** The rights that allow an action: read tasks, see what a sensor is, change tasks. */
export const READ = ['sensor.list', 'sensor.task'];
export const LOOK = ['sensor.list', 'sensor.get', 'sensor.task'];
export const WRITE = ['sensor.task'];

/** An action whose `run` gets data that its schema has checked, and returns what its answers allow. */
export function defineAction<S extends TObject, A extends Answers>(
  action: Description<S, A> & { run(data: Static<S>, context: ActionContext): Promise<ResultOf<A> | Streamed> },
): Action {
  const read = readerOf(action.schema);
  return { ...action, run: async (data, context) => action.run(read(data), context) };
}

export const originOf = ({ oid, keyName, keyHeader, nowMs }: ActionContext): Origin => ({
  oid,
  issuedBy: keyName,
  nowMs: nowMs(),
  freshId: randomUUID(),
  keyHeader,
});

/** Appends commands to the log and waits until they are applied. `epoch` null: they are on the log and will be applied. */
export async function appendAndWait(
  context: ActionContext,
  commands: TaskCommand[],
): Promise<{ logOffsets: { partition: number; offset: number }[]; epoch: string | null }> {
  const logOffsets = await context.commands.append(commands);
  const epoch = await context.applied.applied(context.oid, logOffsets, context.config.API_APPLY_WAIT_MS);
  return { logOffsets, epoch };
}
