/**
 * The responses of the sensors of a task: a page of sensors with their first responses, or all of them line by line. Memory holds what
 * is stored of the task, one page, and a limited number of bodies.
 */
import { type Static, Type } from '@sinclair/typebox';
import { ms, nextCursor, shownTaskId, text } from '../../command/fields.ts';
import { isDoneWhenSent } from '../../model/task.ts';
import { csvRows } from '../../text/csv.ts';
import type { ApiContext } from '../actions/action.ts';
import { cursorOf, startOf } from '../http/cursor.ts';
import { stillUsable } from '../reads.ts';
import { type Asked, bodyBytes, ResponseSchema, withBodies } from './response-bodies.ts';
import { Smallest } from './smallest.ts';
import { readTask, type TaskRead, type TaskSensor, taskSensors } from './task-sensors.ts';
import { DeliveryRowSchema } from './task-view.ts';

const receipt = Type.Union([
  Type.Object({ at: ms('When the receipt counted'), error: text('The error of the receipt; `0`: no error.') }),
  Type.Null(),
]);

export const ResultsAnswer = Type.Object({
  task_id: shownTaskId,
  complete: Type.Boolean({ description: 'All responses are known: there were at most 10000.' }),
  sensors: Type.Array(
    Type.Object({
      ...DeliveryRowSchema.properties,
      receipt,
      responses: Type.Array(ResponseSchema, {
        description: 'The first responses, in order. If response_count is larger, the rest is in the JSON Lines.',
      }),
    }),
    { description: 'A page, in the order of their sids.' },
  ),
  next_cursor: nextCursor,
});

/** A line of JSON Lines, and a row of CSV: a response, or a sensor without one. */
export const ResultLineSchema = Type.Object({
  ...DeliveryRowSchema.properties,
  receipt,
  response: Type.Union([ResponseSchema, Type.Null()]),
});

export type ResultRow = Static<typeof ResultsAnswer>['sensors'][number];
export type ResultLine = Static<typeof ResultLineSchema>;

/** Limits of a page: responses of each sensor, responses if it has one sensor only, and total bytes of bodies. */
const PER_SENSOR = 10;
const PER_SENSOR_ALONE = 1_000;
const PAGE_BYTES = 8 * 1024 * 1024;

export type PageQuery = { sid: string | undefined; limit: number; cursor: string | null | undefined };

export async function resultsPage(
  context: ApiContext,
  oid: string,
  taskId: string,
  { sid, limit, cursor }: PageQuery,
): Promise<Static<typeof ResultsAnswer>> {
  const listing = `results ${taskId}`;
  const after = startOf(listing, cursor) ?? '';
  const read = await readTask(context, oid, taskId);
  const page = new Smallest<TaskSensor>(limit, ({ row }) => row.sid);
  for await (const sensors of taskSensors(context, oid, read, sid))
    for (const sensor of sensors) if (sensor.row.sid > after) page.add(sensor);
  const sorted = page.sorted();
  const { asked, taken } = withinPage(sorted, sid === undefined ? PER_SENSOR : PER_SENSOR_ALONE);
  const rows = new Map(
    sorted
      .slice(0, taken)
      .map((sensor): [TaskSensor, ResultRow] => [
        sensor,
        { ...sensor.row, receipt: receiptOf(read, sensor), responses: [] },
      ]),
  );
  for await (const chunk of withBodies(context, read.task.command, asked))
    for (const { of, response } of chunk) if (response) rows.get(of)?.responses.push(response);
  await stillUsable(context.reads, oid, read.epoch);
  const isMore = page.overflowed || taken < sorted.length;
  const { row: last } = sorted[taken - 1] ?? {};
  return {
    task_id: taskId,
    complete: read.complete,
    sensors: [...rows.values()],
    ...(isMore && last ? { next_cursor: cursorOf(listing, last.sid) } : {}),
  };
}

/** The sensors whose bodies fit, at least one. Of that one, only the first responses may fit. */
function withinPage(sensors: readonly TaskSensor[], perSensor: number): { asked: Asked<TaskSensor>[]; taken: number } {
  const asked: Asked<TaskSensor>[] = [];
  let bytes = 0;
  for (const [taken, sensor] of sensors.entries()) {
    const mine: Asked<TaskSensor>[] = [];
    for (const response of sensor.responses.slice(0, perSensor)) {
      bytes += bodyBytes(response);
      if (bytes > PAGE_BYTES && taken > 0) return { asked, taken };
      if (bytes <= PAGE_BYTES) mine.push({ of: sensor, response, view: sensor.view });
    }
    asked.push(...mine);
  }
  return { asked, taken: sensors.length };
}

/** When the receipt counted, and its error; null: there is none, or none is expected. */
function receiptOf({ task }: TaskRead, { delivery }: TaskSensor): ResultRow['receipt'] {
  if ((delivery?.state !== 'done' && delivery?.state !== 'failed') || isDoneWhenSent(task.command)) return null;
  return { at: delivery.atMs, error: delivery.state === 'failed' ? delivery.reason : '0' };
}

/** Every response of every sensor, and sensors without one. Throws if the projection is lost meanwhile. */
async function* lines(
  context: ApiContext,
  oid: string,
  taskId: string,
  sid: string | undefined,
): AsyncGenerator<ResultLine[]> {
  const read = await readTask(context, oid, taskId);
  for await (const sensors of taskSensors(context, oid, read, sid)) {
    const asked = sensors.flatMap((sensor): Asked<TaskSensor>[] =>
      sensor.responses.length === 0
        ? [{ of: sensor, response: null, view: null }]
        : sensor.responses.map((response) => ({ of: sensor, response, view: sensor.view })),
    );
    for await (const chunk of withBodies(context, read.task.command, asked)) {
      await stillUsable(context.reads, oid, read.epoch);
      yield chunk.map(({ of, response }) => ({ ...of.row, receipt: receiptOf(read, of), response }));
    }
  }
}

const COLUMNS = [
  'sid',
  'hostname',
  'state',
  'attempt',
  'at',
  'reason',
  'receipt_at',
  'error',
  'event_type',
  'event_id',
  'response_at',
  'body',
  'event',
];

const timeOf = (atMs: number | undefined): string => (atMs === undefined ? '' : new Date(atMs).toISOString());

const cells = ({ receipt, response, ...row }: ResultLine): unknown[] => [
  row.sid,
  row.hostname,
  row.state,
  row.attempt,
  timeOf(row.at),
  row.reason,
  timeOf(receipt?.at),
  receipt?.error ?? '',
  response?.event_type,
  response?.event_id,
  timeOf(response?.at),
  response?.body,
  response?.event === undefined ? '' : JSON.stringify(response.event),
];

type Line = (line: ResultLine) => string;
/** The first line of each format, and how it writes a line. */
export const FORMATS: Readonly<Record<'jsonl' | 'csv', { type: string; head: string; line: Line }>> = {
  jsonl: { type: 'application/x-ndjson', head: '', line: (line) => `${JSON.stringify(line)}\n` },
  csv: { type: 'text/csv', head: csvRows([COLUMNS]), line: (line) => csvRows([cells(line)]) },
};

/** The text in pieces. The first piece has the responses of the first sensors. */
export async function* resultPieces(
  context: ApiContext,
  oid: string,
  taskId: string,
  sid: string | undefined,
  { head, line }: { head: string; line: Line },
): AsyncGenerator<string> {
  let text = head;
  for await (const chunk of lines(context, oid, taskId, sid)) {
    for (const one of chunk) text += line(one);
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
