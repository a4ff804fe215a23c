/**
 * What follows from the logs alone: the tasks from `task-commands`, the sensors from `sensor-presence`. The oracle sees the records
 * as they are appended, and nothing of the processes.
 */
import { checkCommand, checkPresence } from '../../src/command/check.ts';
import type { SensorPresence, TaskCommand } from '../../src/model/records.ts';
import { fold, newSensor, type SensorView } from '../../src/model/sensor.ts';
import { canonicalSelector, contentHashOf, expiryOf, isDoneWhenSent } from '../../src/model/task.ts';
import type { OrgTable } from '../../src/orgs/table.ts';
import { compileSelector } from '../../src/selector/evaluate/compile.ts';
import { parseSelector } from '../../src/selector/language/parse.ts';
import type { Predicate, SelectorRecord } from '../../src/selector/predicate.ts';
import { recordOf } from '../../src/selector/sensor/sensor-record.ts';

export type OracleTask = {
  oid: string;
  taskId: string;
  command: TaskCommand;
  hash: string;
  matches: Predicate;
  expiresAtMs: number;
  doneWhenSent: boolean;
  appendedMs: number;
  /** Append time of the UNTASK that removed it. */
  removedMs: number | null;
  /** Offset of that UNTASK. */
  removedBy: number | null;
  narrowed: { offset: number; appendedMs: number; matches: Predicate }[];
};

/** A sensor after one of its presence records. */
export type SensorState = {
  offset: number;
  atMs: number;
  online: boolean;
  connectionId: string | null;
  record: SelectorRecord;
};

export type OracleSensor = { oid: string; sid: string; partition: number; view: SensorView; states: SensorState[] };

export type Verdict = 'valid' | 'same' | 'refused' | 'conflict' | 'nothing';

export class Oracle {
  readonly orgs: OrgTable;
  readonly tasks = new Map<string, OracleTask>();
  readonly sensors = new Map<string, OracleSensor>();
  /** By `partition/offset` of task-commands. */
  readonly verdicts = new Map<string, Verdict>();
  readonly #rules: { ttlMaxSeconds: number; taskMaxBytes: number };

  constructor(orgs: OrgTable, rules: { ttlMaxSeconds: number; taskMaxBytes: number }) {
    this.orgs = orgs;
    this.#rules = rules;
  }

  /** `command` null: the record cannot be decoded. */
  onCommand(partition: number, offset: number, key: string | null, command: TaskCommand | null, atMs: number): void {
    const rules = { ...this.#rules, orgs: this.orgs };
    const refused = command === null || checkCommand(key, command, atMs, rules) !== null;
    const verdict = refused ? 'refused' : this.#apply(command, offset, atMs);
    this.verdicts.set(`${partition}/${offset}`, verdict);
  }

  #apply(command: TaskCommand, offset: number, atMs: number): Verdict {
    const { oid, task_id: taskId } = command;
    const known = this.tasks.get(`${oid} ${taskId}`);
    if (command.action === 'TASK') return known ? this.#again(known, command) : this.#add(command, atMs);
    if (!known || known.removedMs !== null || known.expiresAtMs <= atMs) return 'nothing';
    const narrow = canonicalSelector(command.untask_selector);
    if (narrow === '*') Object.assign(known, { removedMs: atMs, removedBy: offset });
    else known.narrowed.push({ offset, appendedMs: atMs, matches: compileSelector(parseSelector(narrow)) });
    return 'valid';
  }

  #again(known: OracleTask, command: TaskCommand): Verdict {
    return known.removedMs !== null || known.hash !== contentHashOf(command) ? 'conflict' : 'same';
  }

  #add(command: TaskCommand, atMs: number): Verdict {
    const { oid, task_id: taskId } = command;
    this.tasks.set(`${oid} ${taskId}`, {
      oid,
      taskId,
      command,
      hash: contentHashOf(command),
      matches: compileSelector(parseSelector(command.selector)),
      expiresAtMs: expiryOf(command),
      doneWhenSent: isDoneWhenSent(command),
      appendedMs: atMs,
      removedMs: null,
      removedBy: null,
      narrowed: [],
    });
    return 'valid';
  }

  onPresence(
    partition: number,
    offset: number,
    key: string | null,
    presence: SensorPresence | null,
    atMs: number,
  ): void {
    if (presence === null || checkPresence(key, presence, this.orgs) !== null) return;
    const { oid, sid, event } = presence;
    const name = `${oid} ${sid}`;
    let sensor = this.sensors.get(name);
    if (sensor === undefined) {
      if (event === 'DISCONNECTED') return;
      sensor = { oid, sid, partition, view: newSensor(oid, sid), states: [] };
      this.sensors.set(name, sensor);
    }
    if (event === 'FORGOTTEN') sensor.view = newSensor(oid, sid);
    else fold(sensor.view, presence);
    const { online, connectionId } = sensor.view;
    sensor.states.push({ offset, atMs, online, connectionId, record: recordOf(sensor.view, atMs) });
  }
}
