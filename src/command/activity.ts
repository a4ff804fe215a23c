/**
 * Task events under the names that users know: the records of `task-events` as activity of the extension, in the form of events of a
 * webhook adapter. Pure. TASK_SENT means that an attempt was sent (try_task), TASK_DELIVERED that the sensor has it (task_sent). Most
 * sensors never confirm that: for those, TASK_SENT is shown as both.
 */
import { Type } from '@sinclair/typebox';
import { eventId } from '../model/ids.ts';
import type { TaskEvent } from '../model/records.ts';
import { EXTENSION } from '../orgs/table.ts';
import { parseSelector } from '../selector/language/parse.ts';
import { sidOf } from '../selector/language/targets.ts';
import { ms, shownTaskId, text, whole } from './fields.ts';

export type Activity = { routing: Record<string, unknown>; event: Record<string, unknown> };
export type NamedActivity = { name: string; activity: Activity };

/** The sid of the adapter, the same in every installation. */
const ADAPTER_SID = 'c7b1a6de-2f0e-4f0b-9a41-7f1d3c5e8a20';
const PLATFORM_JSON = 0x90000000;
const ARCH_ADAPTER = 9;

/** An event of the live stream, without its name. */
export const ActivitySchema = Type.Object({
  routing: Type.Object({
    oid: Type.String(),
    sid: text('The adapter that all of these events come from.'),
    event_type: text('The name of the event.'),
    event_time: ms('When it happened'),
    event_id: text('A copy of the same event has the same id.'),
    hostname: Type.String(),
    plat: Type.Integer(),
    arch: Type.Integer(),
    ext_ip: Type.String(),
    int_ip: Type.String(),
    tags: Type.Array(Type.String()),
  }),
  event: Type.Object({
    task_id: shownTaskId,
    sid: Type.Optional(text('The sensor, if the event is about one.')),
    attempt: Type.Optional(Type.Integer()),
    investigation_id: Type.Optional(Type.String()),
    task: Type.Optional(text('Of add_task: the command line.')),
    selector: Type.Optional(Type.String()),
    context: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    ttl: Type.Optional(whole('In seconds.')),
    issued_by: Type.Optional(Type.String()),
    expires_at: Type.Optional(ms('Of add_task: when the task expires')),
    error: Type.Optional(text('Of task_failure: the error, as a sentence.')),
    error_code: Type.Optional(Type.Unknown({ description: 'Of task_failure: the error of the sensor.' })),
  }),
});

/** The activities for a task event: one or two. */
export function activitiesOf(event: TaskEvent): NamedActivity[] {
  const detail = detailOf(event.detail);
  switch (event.type) {
    case 'ADD_TASK':
      return [shown('add_task', event, addedFields(detail))];
    case 'TASK_SENT': {
      const tried = shown('try_task', event, sentFields(event, detail));
      return detail.confirms === false ? [tried, delivered(event, detail)] : [tried];
    }
    case 'TASK_DELIVERED':
      return [delivered(event, detail)];
    case 'TASK_DONE':
      return [shown('task_done', event, attemptOf(event))];
    case 'TASK_FAILURE':
      return [shown('task_failure', event, { ...failureFields(detail), ...attemptOf(event) })];
    case 'TASK_EXPIRED':
      return [shown('task_expired', event, {})];
    case 'TASK_REMOVED':
      return [shown('task_removed', event, {})];
  }
}

/** It has another id than the try_task of the same record, which is another event. */
const delivered = (event: TaskEvent, detail: Detail): NamedActivity =>
  shown('task_sent', event, sentFields(event, detail), idOfDelivery(event));

const idOfDelivery = ({ oid, task_id, sid, attempt }: TaskEvent): string =>
  eventId('TASK_DELIVERED', oid, task_id, sid, attempt);

function shown(name: string, event: TaskEvent, fields: Detail, id = event.event_id): NamedActivity {
  const routing = {
    oid: event.oid,
    sid: ADAPTER_SID,
    event_type: name,
    event_time: event.occurred_at,
    event_id: id,
    hostname: EXTENSION,
    plat: PLATFORM_JSON,
    arch: ARCH_ADAPTER,
    ext_ip: '',
    int_ip: '',
    tags: [],
  };
  const sid = event.sid === null ? {} : { sid: event.sid };
  return { name, activity: { routing, event: { task_id: event.task_id, ...sid, ...fields } } };
}

type Detail = Record<string, unknown>;

function addedFields(detail: Detail): Detail {
  const sid = typeof detail.selector === 'string' ? sidOfText(detail.selector) : undefined;
  const { task, selector, context, ttl, issued_by, expires_at } = detail;
  const fields = { task, selector: selector || '*', context: context ?? null, ttl, issued_by, expires_at };
  return sid === undefined ? fields : { ...fields, sid };
}

function sentFields(event: TaskEvent, detail: Detail): Detail {
  const { investigation_id } = detail;
  return { ...attemptOf(event), ...(investigation_id === undefined ? {} : { investigation_id }) };
}

const attemptOf = ({ attempt }: TaskEvent): Detail => (attempt === null ? {} : { attempt });

/** `error` is a sentence, `error_code` the error of the sensor. */
function failureFields({ error_code, error }: Detail): Detail {
  const code = error_code ?? error ?? '';
  return {
    error: typeof error === 'string' && error !== '' ? error : `The sensor answered with error ${code}.`,
    error_code: code,
  };
}

function sidOfText(selector: string): string | undefined {
  try {
    return sidOf(parseSelector(selector));
  } catch {
    return undefined;
  }
}

function detailOf(text: string | null): Detail {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Detail) : {};
  } catch {
    return {};
  }
}
