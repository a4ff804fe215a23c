/**
 * The bodies of responses, read from `sensor-events` at the moment of asking, some at a time. A record that stands at the place
 * of a response and is not that response (the topic was made anew) is none: nothing crosses orgs by an offset.
 */
import { parseObject } from '../../command/check.ts';
import { isNestedTooDeep } from '../../command/depth.ts';
import { eventView } from '../../model/event-view.ts';
import type { SensorEvent, TaskCommand } from '../../model/records.ts';
import type { SensorView } from '../../model/sensor.ts';
import { investigationIdOf } from '../../model/task.ts';
import { responseId } from '../../responder/responses/gather.ts';
import type { Response } from '../../responder/responses/responses.ts';
import type { ShownResponse } from '../actions/answers.ts';
import type { ApiContext } from '../actions/context.ts';

/** A larger body is not shown. */
export const BODY_MAX = 1024 * 1024;

/** Bodies asked for at once: so many, and so many bytes of them. */
const CHUNK = 64;
const CHUNK_BYTES = 4 * BODY_MAX;

export type Asked<T> = { of: T; response: Response | null; view: SensorView | null };

export const bodyBytes = ({ bytes }: Response): number => (bytes > BODY_MAX ? 0 : bytes);

/** Chunks of what is asked, in its order, each with the bodies of its responses. Rejects when Kafka is away. */
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
