/**
 * Checks records before anything acts on them. The first broken rule is the refusal; it goes to the dead letter topic with the unchanged
 * record. Guarantees:
 *  - the result depends on the record and its append time only, never on the current time, so that a replay decides the same;
 *  - pure and total: it never throws, for any values of the decoded fields;
 *  - the API uses the same function before it produces, so that a command that was accepted over HTTP is not refused later.
 * `org_unknown` and `not_subscribed` depend on the org table: read it to its end again before acting on these two.
 */
import type { ErrorCode } from '../errors.ts';
import { isName, isUuid } from '../model/ids.ts';
import type { SensorEvent, SensorPresence, TaskCommand } from '../model/records.ts';
import { canonicalSelector } from '../model/task.ts';
import type { OrgTable } from '../orgs/table.ts';
import { SelectorError } from '../selector/errors.ts';
import { checkSelector } from '../selector/language/check.ts';
import { isNestedTooDeep, NESTING_MAX } from './depth.ts';

/** `message` is a sentence for the person who wrote the record. */
export type Refusal = { code: ErrorCode; message: string };
export type CommandRules = { orgs: OrgTable; ttlMaxSeconds: number; taskMaxBytes: number };
export type JsonObject = Record<string, unknown>;

/** How far a producer's clock may be ahead of the broker's. */
export const ISSUED_AHEAD_MAX_MS = 5 * 60_000;
/** No command is older than this system. A time in seconds, read as milliseconds, is in January 1970. */
const ISSUED_FIRST_MS = Date.UTC(2020);

/** These fields are copied into events and dispatches, which must fit into a record. */
const SMALL_FIELDS = [
  ['context', 4_096],
  ['issued_by', 1_024],
  ['options', 4_096],
] as const;

export const refuse = (code: ErrorCode, message: string): Refusal => ({ code, message });
const CONNECTION_ID_MAX_BYTES = 1_024;
/** The facts must fit into one record of `sensor-state`, with as many tags as `fold` keeps. */
const FACTS_MAX_BYTES = 256 * 1_024;
export const TAG_MAX_BYTES = 256;
export const NAME_RULE = '1 to 128 characters of A-Z a-z 0-9 . _ : -';

/** Checks a record of `task-commands`; null: it is valid. `key` is the record's key, `appendedAtMs` Unix ms. */
export function checkCommand(
  key: string | null,
  command: TaskCommand,
  appendedAtMs: number,
  rules: CommandRules,
): Refusal | null {
  return (
    checkOrg(command.oid, rules.orgs) ??
    checkTaskId(key, command.task_id) ??
    (command.action === 'TASK' ? checkTask(command, appendedAtMs, rules) : null) ??
    (command.action === 'UNTASK' ? checkUntask(command) : null)
  );
}

/** Checks a record of `sensor-presence`; null: it is valid. */
export function checkPresence(key: string | null, record: SensorPresence, orgs: OrgTable): Refusal | null {
  return checkOrg(record.oid, orgs) ?? checkSid(key, record.sid) ?? checkConnection(record) ?? checkFacts(record);
}

/** Checks a record of `sensor-events`, and returns its two JSON objects so that they are parsed once. */
export function checkSensorEvent(
  key: string | null,
  record: SensorEvent,
  orgs: OrgTable,
): { refusal: Refusal } | { refusal: null; routing: JsonObject; event: JsonObject } {
  const refusal = checkOrg(record.oid, orgs) ?? checkSid(key, record.sid);
  if (refusal !== null) return { refusal };
  for (const field of ['routing', 'event'] as const)
    if (isNestedTooDeep(record[field])) return { refusal: tooDeep(field) };
  const routing = parseObject(record.routing);
  if (routing === null) return { refusal: refuse('record_invalid', 'routing must be the text of a JSON object.') };
  const event = parseObject(record.event);
  if (event === null) return { refusal: refuse('record_invalid', 'event must be the text of a JSON object.') };
  return { refusal: null, routing, event };
}

const tooDeep = (field: string): Refusal =>
  refuse(
    'nested_too_deep',
    `${field} is nested more than ${NESTING_MAX} levels deep: send a flatter value, or a text.`,
  );

/** Checks a selector; null, "" and `*` select all sensors and are always valid. `field` names it in the sentence. */
export function checkSelectorText(field: string, selector: string | null): (Refusal & { column?: number }) | null {
  if (canonicalSelector(selector) === '*') return null;
  try {
    checkSelector(selector);
    return null;
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return { code: error.code, message: `${field}: ${error.message}`, column: error.column };
  }
}

function checkOrg(oid: string, orgs: OrgTable): Refusal | null {
  if (!isUuid(oid)) return refuse('oid_invalid', 'oid must be the UUID of an org.');
  if (!orgs.known(oid)) return refuse('org_unknown', `There is no org ${oid}: create it first.`);
  return null;
}

export function checkTaskId(key: string | null, taskId: string): Refusal | null {
  if (!isName(taskId)) return refuse('task_id_invalid', `task_id must be ${NAME_RULE}`);
  if (key !== taskId) return refuse('key_mismatch', "The record's key must be its task_id.");
  return null;
}

export function checkSid(key: string | null, sid: string): Refusal | null {
  if (!isName(sid)) return refuse('sid_invalid', `sid must be ${NAME_RULE}`);
  if (key !== sid) return refuse('key_mismatch', "The record's key must be its sid.");
  return null;
}

/** UPDATED and FORGOTTEN name no connection. */
function checkConnection({ event, connection_id: id }: SensorPresence): Refusal | null {
  if (event !== 'CONNECTED' && event !== 'DISCONNECTED') return null;
  if (id !== '' && Buffer.byteLength(id) <= CONNECTION_ID_MAX_BYTES) return null;
  return refuse(
    'record_invalid',
    `connection_id must name the connection, in at most ${CONNECTION_ID_MAX_BYTES} bytes.`,
  );
}

/** Selectors compare these texts: longer ones would cost too much work. */
const HOSTNAME_MAX_BYTES = 1_024;
const FACT_MAX_BYTES = 4_096;

function checkFacts({ sensor, add_tags, remove_tags }: SensorPresence): Refusal | null {
  for (const tag of [...add_tags.map((added) => added.tag), ...remove_tags]) {
    if (Buffer.byteLength(tag) > TAG_MAX_BYTES)
      return refuse('record_invalid', `A tag to add or to remove has more than ${TAG_MAX_BYTES} bytes.`);
  }
  if (sensor === null) return null;
  let bytes = 0;
  for (const [field, value] of Object.entries(sensor)) {
    if (typeof value !== 'string') continue;
    const size = Buffer.byteLength(value);
    const maxBytes = field === 'hostname' ? HOSTNAME_MAX_BYTES : FACT_MAX_BYTES;
    if (size > maxBytes)
      return refuse('field_too_long', `${field} has ${size} bytes; at most ${maxBytes} are allowed.`);
    bytes += size;
  }
  for (const tag of sensor.tags) bytes += Buffer.byteLength(tag);
  if (bytes <= FACTS_MAX_BYTES) return null;
  return refuse('record_invalid', `sensor has ${bytes} bytes; at most ${FACTS_MAX_BYTES} are taken.`);
}

function checkTask(command: TaskCommand, appendedAtMs: number, rules: CommandRules): Refusal | null {
  for (const [field, maxBytes] of SMALL_FIELDS) {
    if (Buffer.byteLength(command[field] ?? '') > maxBytes)
      return refuse('record_invalid', `${field} has more than ${maxBytes} bytes.`);
  }
  if (!rules.orgs.subscribed(command.oid, appendedAtMs))
    return refuse('not_subscribed', `The org ${command.oid} was not subscribed when the record was appended.`);
  return (
    checkCommandLine(command.task, rules.taskMaxBytes) ??
    checkTtl(command.ttl, rules.ttlMaxSeconds) ??
    checkIssuedAt(command.issued_at) ??
    checkNotAhead(command.issued_at, appendedAtMs) ??
    checkSelectorText('selector', command.selector)
  );
}

function checkCommandLine(task: string | null, maxBytes: number): Refusal | null {
  if (task === null || task.trim() === '') return refuse('task_missing', 'task must hold the command line.');
  const bytes = Buffer.byteLength(task);
  if (bytes <= maxBytes) return null;
  return refuse('task_too_large', `task has ${bytes} bytes; at most ${maxBytes} are allowed.`);
}

function checkTtl(ttl: number, maxSeconds: number): Refusal | null {
  if (Number.isSafeInteger(ttl) && ttl >= 0 && ttl <= maxSeconds) return null;
  return refuse('ttl_invalid', `ttl must be a whole number of seconds from 0 to ${maxSeconds}.`);
}

const checkUntask = (command: TaskCommand): Refusal | null =>
  checkIssuedAt(command.issued_at) ?? checkSelectorText('untask_selector', command.untask_selector);

/** Commands that were accepted before this rule existed stay accepted. A replay reads from the dead letters which commands were
 *  refused, and does not check them again. Their tasks expired long ago. */
function checkIssuedAt(issuedAtMs: number): Refusal | null {
  if (issuedAtMs >= ISSUED_FIRST_MS) return null;
  return refuse(
    'issued_at_invalid',
    `issued_at ${issuedAtMs} is earlier than 2020: give a Unix timestamp in milliseconds, not in seconds.`,
  );
}

function checkNotAhead(issuedAtMs: number, appendedAtMs: number): Refusal | null {
  if (issuedAtMs <= appendedAtMs + ISSUED_AHEAD_MAX_MS) return null;
  return refuse('issued_in_future', "issued_at is more than five minutes ahead: check the producer's clock.");
}

export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}
