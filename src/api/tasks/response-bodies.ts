/**
 * The bodies of responses, read from `sensor-events` when they are requested, some at a time. If the topic was created anew, another
 * record can have the log offset of a response. Such a record is not shown: it may belong to another org.
 */
import { type Static, Type } from '@sinclair/typebox';
import { parseObject } from '../../command/check.ts';
import { isNestedTooDeep } from '../../command/depth.ts';
import { ms, oneOf, text, whole } from '../../command/fields.ts';
import { eventView } from '../../model/event-view.ts';
import type { SensorEvent, TaskCommand } from '../../model/records.ts';
import type { SensorView } from '../../model/sensor.ts';
import { investigationIdOf } from '../../model/task.ts';
import { responseId } from '../../responder/responses/gather.ts';
import type { Response } from '../../responder/responses/responses.ts';
import type { ApiContext } from '../actions/action.ts';

const Shown = Type.Record(Type.String(), Type.Unknown());

/** An event that a sensor sent under the investigation id of a task. */
export const ResponseSchema = Type.Object({
  event_id: text('As the sensor sent it; for a long or unusual id `#` and a hash.'),
  event_type: Type.String(),
  at: ms('When it happened'),
  bytes: whole('Size of its record on the topic.'),
  body: oneOf(
    ['kept', 'gone', 'too_large', 'too_deep'],
    '`gone`: the topic no longer keeps it; `too_large`: over 1 MiB; `too_deep`: nested more than 64 levels deep.',
  ),
  routing: Type.Optional(Shown),
  event: Type.Optional(Shown),
});

export type ShownResponse = Static<typeof ResponseSchema>;

/** A larger body is not shown. */
export const BODY_MAX = 1024 * 1024;

/** Limits of one read from the topic: number of bodies, and their bytes. */
const CHUNK = 64;
const CHUNK_BYTES = 4 * BODY_MAX;

export type Asked<T> = { of: T; response: Response | null; view: SensorView | null };

export const bodyBytes = ({ bytes }: Response): number => (bytes > BODY_MAX ? 0 : bytes);

/** `asked` in chunks, in order, each with the bodies of its responses. Rejects if Kafka is unavailable. */
export async function* withBodies<T>(
  { sensorEventsAt, nowMs }: Pick<ApiContext, 'sensorEventsAt' | 'nowMs'>,
  task: TaskCommand,
  asked: readonly Asked<T>[],
): AsyncGenerator<{ of: T; response: ShownResponse | null }[]> {
  for (const chunk of chunksOf(asked)) {
    const wanted = chunk.flatMap(({ response }) => (response && response.bytes <= BODY_MAX ? [response] : []));
    const events = wanted.length === 0 ? [] : await sensorEventsAt(wanted);
    const found = new Map(wanted.map((response, i) => [response, events[i] ?? null]));
    yield chunk.map(({ of, response, view }) => ({
      of,
      response: response && shownResponse(task, response, found.get(response) ?? null, view, nowMs()),
    }));
  }
}

function* chunksOf<T>(asked: readonly Asked<T>[]): Generator<Asked<T>[]> {
  let chunk: Asked<T>[] = [];
  let [bodies, bytes] = [0, 0];
  for (const one of asked) {
    const size = one.response ? bodyBytes(one.response) : 0;
    if (bodies === CHUNK || (bytes > 0 && bytes + size > CHUNK_BYTES)) {
      yield chunk;
      chunk = [];
      [bodies, bytes] = [0, 0];
    }
    chunk.push(one);
    if (one.response) bodies += 1;
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

function shownResponse(
  task: TaskCommand,
  response: Response,
  event: SensorEvent | null,
  view: SensorView | null,
  nowMs: number,
): ShownResponse {
  const { eventId, eventType, atMs, bytes, sid } = response;
  const head = { event_id: eventId, event_type: eventType, at: atMs, bytes };
  if (bytes > BODY_MAX) return { ...head, body: 'too_large' };
  const isIt = event?.oid === task.oid && event.sid === sid && responseId(event.event_id) === eventId;
  if (isIt && (isNestedTooDeep(event.routing) || isNestedTooDeep(event.event))) return { ...head, body: 'too_deep' };
  const parts = isIt ? { routing: parseObject(event.routing), event: parseObject(event.event) } : null;
  if (!isIt || !parts?.routing || !parts.event) return { ...head, body: 'gone' };
  const { routing, event: body } = parts;
  const shown = eventView(event, { routing, event: body }, view, investigationIdOf(task), nowMs);
  return { ...head, body: 'kept', ...shown };
}
