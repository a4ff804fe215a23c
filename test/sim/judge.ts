/** Passes each appended record to the oracle, the checker or the sensors, by its topic. */
import type { Checker } from './checker.ts';
import type { Fleet } from './fleet.ts';
import type { Appended } from './kafka/broker.ts';
import type { Oracle } from './oracle.ts';
import { codec, NAMES } from './ports.ts';

type Say = ((who: string, what: string) => void) | null;
type Handler = (appended: Appended, key: string | null, atMs: number) => void;

export function judgeOf(
  oracle: Oracle,
  checker: Checker,
  fleet: () => Fleet,
  say: Say,
): (appended: Appended, atMs: number) => void {
  const handlers: Record<string, Handler> = {
    [NAMES.commands]: ({ partition, record: { offset, value, timestampMs } }, key) =>
      oracle.onCommand(partition, offset, key, decode('TaskCommand', value), timestampMs),
    [NAMES.presence]: ({ partition, record: { offset, value } }, key, atMs) =>
      oracle.onPresence(partition, offset, key, decode('SensorPresence', value), atMs),
    [NAMES.sensorEvents]: ({ record: { value } }, key, atMs) =>
      checker.onReceipt(key, decode('SensorEvent', value), atMs),
    [NAMES.orgSettings]: ({ record: { value } }, key) => oracle.orgs.apply(key ?? '', decode('OrgSetting', value)),
    [NAMES.taskEvents]: ({ record: { value, headers } }, _key, atMs) => {
      const event = decode('TaskEvent', value);
      if (event === null) return;
      const { type, oid, task_id, sid, attempt } = event;
      say?.(
        'log',
        `${type} ${task_id} ${sid ?? ''} of ${oid.slice(0, 4)} attempt ${attempt} epoch ${headers['rt-epoch']}`,
      );
      checker.onEvent(event, atMs);
    },
    [NAMES.dispatch]: ({ record: { value }, sentMs }, _key, atMs) => {
      const dispatch = decode('TaskDispatch', value);
      if (dispatch === null) return;
      const { oid, task_id, sid, attempt, connection_id } = dispatch;
      say?.('log', `dispatch ${task_id} ${sid} of ${oid.slice(0, 4)} attempt ${attempt} over ${connection_id}`);
      checker.onDispatch(dispatch, { atMs, sentMs });
      fleet().onDispatch(dispatch);
    },
    [NAMES.deadLetter]: ({ record: { headers } }) => {
      const header = (name: string) => String(headers[`rt-${name}`]);
      const [source, partition, offset] = [header('source-topic'), header('source-partition'), header('source-offset')];
      say?.('log', `dead letter of ${source} ${partition}/${offset}: ${header('error-code')}`);
      checker.onDeadLetter(source, Number(partition), Number(offset), header('error-code'));
    },
  };
  return (appended, atMs) => handlers[appended.topic]?.(appended, appended.record.key?.toString() ?? null, atMs);
}

/** null: the bytes are no such record. */
function decode<N extends Parameters<typeof codec.decode>[0]>(name: N, value: Buffer | null) {
  if (value === null) return null;
  try {
    return codec.decode(name, value);
  } catch {
    return null;
  }
}
