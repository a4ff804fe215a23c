/**
 * The action `extension request` to ext-reliable-tasking: adds, withdraws or tries tasks, with the same records as the API. A target
 * that is named but empty is refused: it would mean every sensor.
 */
import { readerOf } from '../command/reader.ts';
import { ReceivedSchema, RULE_REQUESTS, SensorSchema, TaskSchema, UntaskSchema } from '../command/schemas.ts';
import { readTarget } from '../command/target.ts';
import { taskCommandOf, untaskCommandOf } from '../command/task-command.ts';
import { refuseUnknownField } from '../command/unknown-field.ts';
import { ApiError } from '../errors.ts';
import { EXTENSION } from '../orgs/table.ts';
import type { ActionInput } from './action-input.ts';
import { changeOf } from './effects.ts';
import { ruleId } from './rule-event.ts';

type Ask = (data: unknown, input: ActionInput) => Promise<void> | void;

const read = {
  task: readerOf(TaskSchema),
  untask: readerOf(UntaskSchema),
  sensor: readerOf(SensorSchema),
  received: readerOf(ReceivedSchema),
};

const TARGETS = ['sid', 'tag', 'selector', 'plat'];

const ACTIONS: Readonly<Record<string, Ask>> = {
  task: (data, { effects, origin, ports, event }) => {
    const { idempotency_key: key, ...fields } = read.task(data);
    // An id of the key alone would not carry the depth, and rules could answer each other forever.
    const freshId = key ? ruleId(event.depth + 1, 'key', origin.oid, key) : origin.freshId;
    effects.commands.push(taskCommandOf(fields, { ...origin, freshId }, rulesOf(ports)));
  },
  untask: async (data, { effects, origin, ports, withdrawals }) => {
    const fields = read.untask(data);
    const target = readTarget(fields);
    if (!fields.task_id && !target.given)
      throw new ApiError('target_missing', 'Give a task_id or a target: it says what to withdraw.');
    const ids = fields.task_id ? [fields.task_id] : await withdrawals.taskIds(origin.oid, target);
    for (const id of ids) effects.commands.push(untaskCommandOf(id, target, origin, rulesOf(ports)));
  },
  /** Nobody reads its answer. */
  list: () => undefined,
  signal_attempt: (data, { effects, origin }) => {
    effects.presence.push(changeOf(origin.oid, read.sensor(data).sid, origin.nowMs, { try_now: true }));
  },
  signal_received: (data, { effects, origin, event, at }) => {
    const { sid, inv_id } = read.received(data);
    effects.sensorEvents.push({
      oid: origin.oid,
      sid,
      event_type: 'RECEIPT',
      event_id: ruleId(event.depth + 1, 'receipt', event.eventId, at),
      occurred_at: origin.nowMs,
      investigation_id: inv_id,
      task_id: null,
      routing: '{}',
      event: '{}',
    });
  },
};

export async function askExtension(name: string, action: string, data: unknown, input: ActionInput): Promise<void> {
  if (name !== EXTENSION) throw new ApiError('extension_unknown', `There is no extension ${name}: use ${EXTENSION}.`);
  const ask = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  const fields = RULE_REQUESTS.get(action);
  if (ask === undefined || fields === undefined)
    throw new ApiError('action_unknown', `${EXTENSION} has no action "${action}".`);
  refuseUnknownField(action, fields, data);
  refuseEmptyTarget(data);
  await ask(data, input);
}

function refuseEmptyTarget(data: unknown): void {
  const fields = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const named = TARGETS.filter((name) => Object.hasOwn(fields, name));
  if (named.length > 0 && named.every((name) => fields[name] === null || fields[name] === ''))
    throw new ApiError(
      'target_missing',
      `${named.join(' and ')} came out empty, which would mean every sensor: check the path or template.`,
    );
}

const rulesOf = ({ orgs, config }: ActionInput['ports']) => ({
  orgs: orgs.table,
  ttlMaxSeconds: config.TTL_MAX_SECONDS,
  taskMaxBytes: config.TASK_MAX_BYTES,
});
