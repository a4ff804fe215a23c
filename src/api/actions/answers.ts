/**
 * What actions answer, one schema each: the types of the code, the description of the API, and the types of the console are
 * made from these, and the tests hold every answer to them. Times are Unix ms unless said otherwise. A field that is not
 * always there is optional; later versions may add fields.
 */
import { type Static, Type } from '@sinclair/typebox';
import { DELIVERY_STATES, type DeliveryState } from '../../model/states.ts';

const text = (description: string) => Type.String({ description });
const whole = (description: string) => Type.Integer({ description });
const ms = (what: string) => whole(`${what}, Unix ms.`);

const taskId = text('The task.');
const sid = text('The sensor.');
const hostname = text('"" where it is not known.');
const nextCursor = Type.Optional(text('Where the next page begins; not there on the last one.'));

const oneOf = <T extends string>(words: readonly T[], description: string) =>
  Type.Unsafe<T>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      { description },
    ),
  );

const shownState = oneOf(DELIVERY_STATES, 'Where it stands.');
const counts = Type.Unsafe<Record<DeliveryState, number>>(
  Type.Object(Object.fromEntries(DELIVERY_STATES.map((state) => [state, Type.Integer()])), {
    description: 'How many sensors stand where.',
  }),
);

export const TaskEntrySchema = Type.Object({
  task_id: taskId,
  task: text('The command line.'),
  sensor_selector: text('Which sensors; `*` for every one.'),
  context: Type.Union([Type.String(), Type.Null()]),
  ttl: whole('How long it waits, in seconds.'),
  created_at: ms('Queued'),
  expires_at: ms('Waits until'),
  issued_by: text('The name of the key, or what the producer said.'),
  acknowledged: Type.Array(Type.String(), { description: 'Sensors that have answered, the first 1000.' }),
  acknowledged_count: whole('How many have answered.'),
});

const DeliveryRow = Type.Object({
  sid,
  hostname,
  state: shownState,
  attempt: whole('How many times it was sent.'),
  at: ms('In this state since'),
  reason: text('Why, in one sentence.'),
  response_count: whole('How many responses of it came, of the first 10000 of the task.'),
});

const Shown = Type.Record(Type.String(), Type.Unknown());

/** Something that a sensor sent under the investigation id of a task. */
const ResponseSchema = Type.Object({
  event_id: text('As the sensor gave it; `#` and a hash for one that is long or unusual.'),
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

const receipt = Type.Union([
  Type.Object({ at: ms('When the answer counted'), error: text('What the sensor said of it; `0`: it went well.') }),
  Type.Null(),
]);

export const ResultsAnswer = Type.Object({
  task_id: taskId,
  complete: Type.Boolean({ description: 'No more than 10000 responses came: all are known.' }),
  sensors: Type.Array(
    Type.Object({
      ...DeliveryRow.properties,
      receipt,
      responses: Type.Array(ResponseSchema, {
        description: 'The first ones, in order. Are they fewer than response_count, JSON Lines have the rest.',
      }),
    }),
    { description: 'A page, in the order of their sids.' },
  ),
  next_cursor: nextCursor,
});

/** A line of JSON Lines, and a row of CSV: a response, or a sensor without one. */
export const ResultLineSchema = Type.Object({
  ...DeliveryRow.properties,
  receipt,
  response: Type.Union([ResponseSchema, Type.Null()]),
});

const accepted = { task_id: taskId };

export const TaskAnswer = Type.Object({
  ...accepted,
  total_sensors: whole('Sensors that match now.'),
  tasked_sensors: whole('Those of them that are online.'),
  queued_sensors: whole('Those that are not.'),
});
export const TaskAccepted = Type.Object(accepted);

export const ListAnswer = Type.Object({ tasks: Type.Array(TaskEntrySchema), next_cursor: nextCursor });

export const UntaskAnswer = Type.Object({
  deleted: whole('Sensors that still had it to run.'),
  tasks: whole('Tasks removed as a whole.'),
});
export const UntaskAccepted = Type.Object({ task_id: Type.Optional(taskId) });

export const GetAnswer = Type.Object({
  ...TaskEntrySchema.properties,
  state: oneOf(['pending', 'expired', 'removed'], 'Of the task.'),
  ended_at: Type.Optional(ms('Of an ended task: its end')),
  counts,
  sensors: Type.Array(DeliveryRow, { description: 'A page, in the order of their sids.' }),
  next_cursor: nextCursor,
});

export const WhyAnswer = Type.Object({
  task_id: taskId,
  sid,
  state: oneOf([...DELIVERY_STATES, 'none'], '`none`: it is not a sensor of the task.'),
  reason: text('A word that does not change, for programs.'),
  sentence: text('The same for people.'),
  at: ms('Since'),
});

export const PreviewAnswer = Type.Object({
  total_sensors: whole('Sensors that match now.'),
  online_sensors: whole('Those of them that are online.'),
  sensors: Type.Array(
    Type.Object({
      sid,
      hostname,
      plat: text('The name of the platform; "" where it is not known.'),
      online: Type.Boolean(),
    }),
    { description: 'A page, in the order of their sids.' },
  ),
  excluded_by: Type.Array(Type.Object({ clause: Type.String(), sensors: Type.Integer() }), {
    description: 'The clauses that exclude most, with how many sensors each.',
  }),
  error_sensors: Type.Optional(
    whole(
      'Sensors for which the selector is an error, which selects nothing: they lack a fact that it uses, or have a text that is too long for its regular expressions. Absent if there are none.',
    ),
  ),
  next_cursor: nextCursor,
});

const verdict = Type.Union([Type.Boolean(), Type.Literal('error')]);

export const ExplainAnswer = Type.Object({
  result: verdict,
  clauses: Type.Array(
    Type.Object({
      clause: Type.String(),
      column: whole('Where it begins in the selector, from 1.'),
      value: Type.Unknown({ description: 'What it met; null: nothing.' }),
      result: verdict,
      reason: Type.Optional(
        text('Why it is an error, if its regular expressions exceed the work limit of a selector.'),
      ),
    }),
  ),
});

export const AttemptAnswer = Type.Object({
  sid,
  online: Type.Boolean({ description: 'Offline: it is tried on connect.' }),
});
export const ReceivedAnswer = Type.Object({ sid, task_id: taskId });

/** As the public clients read a sensor: codes as whole numbers, times as text in UTC. */
export const SensorEntrySchema = Type.Object(
  {
    oid: Type.String(),
    sid: Type.String(),
    iid: Type.String(),
    did: Type.String(),
    hostname,
    plat: Type.Integer(),
    ext_plat: Type.Integer(),
    arch: Type.Integer(),
    enroll: text('`2026-01-31 12:00:00`; "" where it is not known.'),
    alive: text('The same.'),
    int_ip: Type.String(),
    ext_ip: Type.String(),
    mac_addr: Type.String(),
    isolated: Type.Boolean(),
    is_isolated: Type.Boolean(),
    should_isolate: Type.Boolean(),
    kernel: Type.Boolean(),
    tags: Type.Array(Type.String()),
  },
  { description: 'A sensor.' },
);

/** What one sensor was sent or has run. */
export const HistoryAnswer = Type.Object({
  tasks: Type.Array(
    Type.Object({
      task_id: taskId,
      task: text('The command line.'),
      issued_by: Type.String(),
      state: shownState,
      attempt: whole('How many times it was sent.'),
      at: ms('In this state since'),
      reason: text('Why, in one sentence.'),
    }),
    { description: 'The newest first.' },
  ),
  complete: Type.Boolean({ description: 'Every task of the org was looked at, and not only the first 20000.' }),
});

/** A rule, or another record of a hive. */
export const HiveRecordSchema = Type.Object(
  {
    data: Type.Record(Type.String(), Type.Unknown(), { description: 'By hive; empty where only metadata are shown.' }),
    usr_mtd: Type.Object({
      enabled: Type.Boolean(),
      expiry: whole('Unix ms; 0: never.'),
      tags: Type.Array(Type.String()),
      comment: Type.String(),
    }),
    sys_mtd: Type.Object({
      etag: text('Changes with every change.'),
      created_at: ms('Created'),
      created_by: Type.String(),
      guid: Type.String(),
      author: text('Who last stored, renamed or enabled it, or extended its expiry; "" if unknown.'),
      last_author: text('Who last changed it or its metadata.'),
      last_mod: ms('Changed'),
      last_error: text('"" without any.'),
      last_error_ts: ms('The time of that'),
    }),
  },
  { description: 'The record.' },
);

/** An event of the live stream, beside its name. */
export const ActivitySchema = Type.Object({
  routing: Type.Object({
    oid: Type.String(),
    sid: text('The adapter that all of these events come from.'),
    event_type: text('The name of the event.'),
    event_time: ms('When it happened'),
    event_id: text('The same for a copy of the same event.'),
    hostname: Type.String(),
    plat: Type.Integer(),
    arch: Type.Integer(),
    ext_ip: Type.String(),
    int_ip: Type.String(),
    tags: Type.Array(Type.String()),
  }),
  event: Type.Object({
    task_id: taskId,
    sid: Type.Optional(text('The sensor, where the event is about one.')),
    attempt: Type.Optional(Type.Integer()),
    investigation_id: Type.Optional(Type.String()),
    task: Type.Optional(text('Of add_task: the command line.')),
    selector: Type.Optional(Type.String()),
    context: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    ttl: Type.Optional(whole('In seconds.')),
    issued_by: Type.Optional(Type.String()),
    expires_at: Type.Optional(ms('Of add_task: it waits until')),
    error: Type.Optional(text('Of task_failure: what it was, as a sentence.')),
    error_code: Type.Optional(Type.Unknown({ description: 'Of task_failure: what the sensor answered.' })),
  }),
});

export type TaskEntry = Static<typeof TaskEntrySchema>;
export type DeliveryRow = Static<typeof DeliveryRow>;
export type ResultRow = Static<typeof ResultsAnswer>['sensors'][number];
export type ShownResponse = Static<typeof ResponseSchema>;
export type ResultLine = Static<typeof ResultLineSchema>;
export type PreviewRow = Static<typeof PreviewAnswer>['sensors'][number];
export type SensorEntry = Static<typeof SensorEntrySchema>;
