/**
 * Holds all that was written against I1 to I8, by the oracle and the checker of the simulation, which know logs and nothing
 * of processes. Pure: records in the order of their append times in, counts and violations out. Times are those of one machine.
 */

import type {
  OrgSetting,
  SensorEvent,
  SensorPresence,
  TaskCommand,
  TaskDispatch,
  TaskEvent,
} from '../../src/model/records.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import { Checker, Violation } from '../sim/checker.ts';
import { Oracle } from '../sim/oracle.ts';
import { logFaults } from '../sim/rest.ts';
import type { Entry } from './records.ts';

/** An untask of a whole task that was answered with 200: from then on nothing of it may be written. */
export type Untasked = { taskId: string; answeredMs: number };

export type Case = {
  oid: string;
  entries: readonly Entry[];
  untasked: readonly Untasked[];
  rules: { ttlMaxSeconds: number; taskMaxBytes: number };
  leaseMs: number;
  marginMs: number;
  /** When all had come to rest. */
  nowMs: number;
};

export type Verdict = {
  counts: {
    tasks: number;
    sensors: number;
    deliveries: number;
    dispatches: number;
    copies: number;
    repeats: number;
    late: number;
    settled: number;
    deadLetters: number;
  };
  violations: string[];
};

type Handler = (entry: Entry, judge: { oracle: Oracle; checker: Checker }) => void;

const HANDLERS: Partial<Record<Entry['topic'], Handler>> = {
  orgSettings: ({ key, value }, { oracle }) => oracle.orgs.apply(key ?? '', value as OrgSetting | null),
  commands: ({ partition, offset, key, value, atMs }, { oracle }) =>
    oracle.onCommand(partition, offset, key, value as TaskCommand | null, atMs),
  presence: ({ partition, offset, key, value, atMs }, { oracle }) =>
    oracle.onPresence(partition, offset, key, value as SensorPresence | null, atMs),
  sensorEvents: ({ key, value, atMs }, { checker }) => checker.onReceipt(key, value as SensorEvent | null, atMs),
  dispatch: ({ value, atMs }, { checker }) => {
    const dispatch = value as TaskDispatch;
    checker.onDispatch(dispatch, { atMs, sentMs: dispatch.dispatched_at });
  },
  taskEvents: ({ value, atMs }, { checker }) => {
    if (value !== null) checker.onEvent(value as TaskEvent, atMs);
  },
  deadLetter: ({ headers }, { checker }) => {
    const source = (headers['rt-source-topic'] ?? '').replace(/^.*(?=task-commands$)/, '');
    const position = [Number(headers['rt-source-partition']), Number(headers['rt-source-offset'])] as const;
    checker.onDeadLetter(source, ...position, headers['rt-error-code'] ?? '');
  },
};

export function judge({ oid, entries, untasked, rules, leaseMs, marginMs, nowMs }: Case): Verdict {
  const oracle = new Oracle(new OrgTable(), rules);
  const checker = new Checker({ oracle, leaseMs, marginMs });
  const violations: string[] = [];
  const note = (violation: Violation, where = '') => violations.push(`${violation.message}${where}`);
  const answers = untasked.toSorted((a, b) => a.answeredMs - b.answeredMs);
  for (const entry of entries) {
    while (answers[0] && answers[0].answeredMs < entry.atMs)
      tellUntasked(oid, answers.shift() as Untasked, entries, checker);
    try {
      HANDLERS[entry.topic]?.(entry, { oracle, checker });
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      note(error, ` (${entry.topic} ${entry.partition}/${entry.offset})`);
    }
  }
  for (const fault of logFaults({ oracle, checker, nowMs })) note(fault);
  return { counts: countsOf(oracle, checker), violations };
}

function tellUntasked(
  oid: string,
  { taskId, answeredMs }: Untasked,
  entries: readonly Entry[],
  checker: Checker,
): void {
  const isIt = ({ topic, value }: Entry) => {
    const command = value as TaskCommand | null;
    return topic === 'commands' && command?.task_id === taskId && command.action === 'UNTASK';
  };
  const untask = entries.findLast((entry) => isIt(entry) && entry.atMs <= answeredMs);
  if (!untask) throw new Violation('I3', `the untask of ${taskId} was answered, and stands on no log`);
  checker.onUntasked(oid, taskId, untask.offset, answeredMs);
}

function countsOf({ tasks, sensors }: Oracle, { deliveries, stats }: Checker): Verdict['counts'] {
  const asked = [...tasks.values()].reduce((sum, task) => {
    const hasMatched = [...sensors.values()].filter(({ states }) =>
      states.some(({ record }) => task.matches(record) === true),
    );
    return sum + hasMatched.length;
  }, 0);
  const repeats = [...deliveries.values()].reduce((sum, { dispatches }) => sum + Math.max(0, dispatches.length - 1), 0);
  return { tasks: tasks.size, sensors: sensors.size, deliveries: asked, ...stats, repeats };
}
