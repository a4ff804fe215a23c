/**
 * `extension request` to ext-reliable-tasking: queues, withdraws or tries tasks, as records on the topics that the API writes,
 * too. A target that is named but empty is refused: it would mean every sensor.
 */

import { readerOf } from '../command/reader.ts';
import { ReceivedSchema, RULE_REQUESTS, SensorSchema, TaskSchema, UntaskSchema } from '../command/schemas.ts';
import { readTarget } from '../command/target.ts';
import { taskCommandOf, untaskCommandOf } from '../command/task-command.ts';
import { refuseUnknownField } from '../command/unknown-field.ts';
import { ApiError } from '../errors.ts';
import { EXTENSION } from '../orgs/table.ts';
import type { Acting } from './acting.ts';
import { changeOf } from './effects.ts';
import { ruleId } from './seen.ts';

type Ask = (data: unknown, acting: Acting) => Promise<void> | void;

const read = {
  task: readerOf(TaskSchema),
  untask: readerOf(UntaskSchema),
  sensor: readerOf(SensorSchema),
  received: readerOf(ReceivedSchema),
};

const TARGETS = ['sid', 'tag', 'selector', 'plat'];

const ACTIONS: Readonly<Record<string, Ask>> = {
  task: (data, { effects, origin, ports, seen }) => {
    const { idempotency_key: key, ...fields } = read.task(data);
    // An id made of the key alone would not carry the count of turns, and rules could answer each other for ever.
    const freshId = key ? ruleId(seen.depth + 1, 'key', origin.oid, key) : origin.freshId;
    effects.commands.push(taskCommandOf(fields, { ...origin, freshId }, rulesOf(ports)));
  },
  untask: async (data, { effects, origin, ports, turn }) => {
    const fields = read.untask(data);
    const target = readTarget(fields);
    if (!fields.task_id && !target.given)
      throw new ApiError('target_missing', 'Say what to remove: task_id, or a target.');
    const ids = fields.task_id ? [fields.task_id] : await turn.allTasks(origin.oid, target);
    for (const id of ids) effects.commands.push(untaskCommandOf(id, target, origin, rulesOf(ports)));
  },
  /** Has no one to answer to. */
  list: () => undefined,
  signal_attempt: (data, { effects, origin }) => {
    effects.presence.push(changeOf(origin.oid, read.sensor(data).sid, origin.nowMs, { try_now: true }));
  },
  signal_received: (data, { effects, origin, seen, at }) => {
    const { sid, inv_id } = read.received(data);
    effects.sensorEvents.push({
      ...{ oid: origin.oid, sid, event_type: 'RECEIPT', occurred_at: origin.nowMs, investigation_id: inv_id },
      ...{ event_id: ruleId(seen.depth + 1, 'receipt', seen.eventId, at), task_id: null, routing: '{}', event: '{}' },
    });
  },
};

export async function askExtension(name: string, action: string, data: unknown, acting: Acting): Promise<void> {
  if (name !== EXTENSION) throw new ApiError('extension_unknown', `There is no extension ${name}: use ${EXTENSION}.`);
  const ask = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  const fields = RULE_REQUESTS.get(action);
  if (ask === undefined || fields === undefined)
    throw new ApiError('action_unknown', `${EXTENSION} has no action "${action}".`);
  refuseUnknownField(action, fields, data);
  refuseEmptyTarget(data);
  await ask(data, acting);
}

function refuseEmptyTarget(data: unknown): void {
  const fields = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const named = TARGETS.filter((name) => Object.hasOwn(fields, name));
  if (named.length > 0 && named.every((name) => fields[name] === null || fields[name] === ''))
    throw new ApiError('target_missing', `${named.join(' and ')} came out empty: it would mean every sensor.`);
}

const rulesOf = ({ orgs, config }: Acting['ports']) => ({
  orgs: orgs.table,
  ttlMaxSeconds: config.TTL_MAX_SECONDS,
  taskMaxBytes: config.TASK_MAX_BYTES,
});
