/**
 * The answer of a simulated sensor to a dispatch: `<COMMAND>_REP` for commands with a reply, a RECEIPT for others, and nothing for
 * commands that take the sensor down. Randomness follows from seed, task and sensor: a sensor that fails a task fails it at every
 * attempt. A repeated answer has the same event_id. No I/O and no clock: delays are data.
 */
import { hashOf } from '../model/ids.ts';
import type { SensorEvent, TaskDispatch } from '../model/records.ts';
import { isDoneWhenSent } from '../model/task.ts';
import { oneOf, randomOf, wholeNumber } from './random.ts';
import { replyOf } from './replies.ts';
import type { FleetSensor } from './sensor.ts';

/** Shares (0 to 1) of answers that are late, repeated, or an error. */
export type Shares = { late: number; twice: number; error: number };

export const NO_MISHAPS: Shares = { late: 0, twice: 0, error: 0 };
export const FEW_MISHAPS: Shares = { late: 0.02, twice: 0.02, error: 0.02 };

/** `delaysMs`: the delay of each copy of `event` after the dispatch. More than one entry: the answer is repeated. */
export type Answer = { event: SensorEvent; delaysMs: number[]; error: number };

export type AnswerSettings = { seed: number; shares: Shares };

const ERRORS = [
  { code: 2, message: 'file not found' },
  { code: 5, message: 'access denied' },
  { code: 87, message: 'bad parameter' },
  { code: 1460, message: 'timeout' },
] as const;

const LATE_MS = { from: 2_000, to: 20_000 } as const;
const COPY_AFTER_MS = 200;

/** The answer, or null if the command takes the sensor down. `nowMs` is the clock of the sensor. */
export function answerTo(
  dispatch: TaskDispatch,
  sensor: FleetSensor,
  settings: AnswerSettings,
  nowMs: number,
): Answer | null {
  if (isDoneWhenSent({ task: dispatch.task, options: null })) return null;
  const random = randomOf('answer', settings.seed, dispatch.task_id, dispatch.sid);
  const { shares } = settings;
  const fails = random() < shares.error;
  const delayMs = random() < shares.late ? wholeNumber(random, LATE_MS.from, LATE_MS.to) : 0;
  const twice = random() < shares.twice;
  const error = fails ? oneOf(random, ERRORS) : undefined;
  const { eventType, body } = replyOf(dispatch.task, sensor);
  const content = error ? { ERROR: error.code, ERROR_MESSAGE: error.message } : { ERROR: 0, ...body };
  return {
    event: sensorEvent(dispatch, sensor, eventType, content, nowMs),
    delaysMs: twice ? [delayMs, delayMs + COPY_AFTER_MS] : [delayMs],
    error: error?.code ?? 0,
  };
}

function sensorEvent(
  dispatch: TaskDispatch,
  sensor: FleetSensor,
  eventType: string,
  content: object,
  nowMs: number,
): SensorEvent {
  const eventId = hashOf('answer', dispatch.dispatch_id, eventType);
  const { iid, did, hostname, ext_ip, int_ip, plat, arch, tags } = sensor.facts;
  const routing = {
    oid: dispatch.oid,
    sid: dispatch.sid,
    event_type: eventType,
    event_time: nowMs,
    event_id: eventId,
    investigation_id: dispatch.investigation_id,
    iid,
    did,
    hostname,
    ext_ip,
    int_ip,
    plat,
    arch,
    tags,
  };
  return {
    oid: dispatch.oid,
    sid: dispatch.sid,
    event_type: eventType,
    event_id: eventId,
    occurred_at: nowMs,
    investigation_id: dispatch.investigation_id,
    task_id: dispatch.task_id,
    routing: JSON.stringify(routing),
    event: JSON.stringify(content),
  };
}
