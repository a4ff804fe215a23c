/**
 * The pending tasks of one org in memory, with their compiled selectors and the index that matches a sensor against all of them.
 *
 * A task is asked whether it selects a sensor when they match, and again before each dispatch. Costly selectors remember the
 * records that they selected, so that the second answer is free unless the sensor has changed.
 */
import type { TaskRecord } from '../model/task.ts';
import { investigationIdOf, isDoneWhenSent } from '../model/task.ts';
import { SelectorSet } from '../selector/engine/selector-set.ts';
import { compileSelector } from '../selector/evaluate/compile.ts';
import { costDependsOnSensor } from '../selector/evaluate/regex-budget.ts';
import { parseSelector } from '../selector/language/parse.ts';
import { sidOf } from '../selector/language/targets.ts';
import type { Predicate, SelectorRecord } from '../selector/predicate.ts';
import type { Slices } from '../selector/slices.ts';
import { work } from '../selector/work-counter.ts';
import type { Sensor } from './org-partition.ts';

/** A delivery that is due as far as this process knows. */
export type Due = { sensor: Sensor; task: Task };

/** No claim before `untilMono` (monotonic ms) while this connection is open. See redelivery.ts. */
export type NextClaim = { connectionHash: string; untilMono: number };

export type Task = {
  taskId: string;
  commandLine: string;
  investigationId: string;
  expiresAtMs: number;
  doneWhenSent: boolean;
  /** Bytes of the command line and the investigation id: each dispatch carries them. */
  textBytes: number;
  predicate: Predicate;
  /** Records that the selector selected; only for selectors that read texts. A record never changes. */
  selected?: WeakSet<SelectorRecord> | undefined;
  /** The sid, if the selector is nothing but `sid == …`. */
  sid: string | undefined;
  /** When the process learned of the task, by its wall clock. */
  seenAtMs: number;
  /** The task has ended. */
  gone: boolean;
  nextClaims: Map<Sensor, NextClaim>;
};

/** `most`: the work budget (selector/work.ts). `isReached` is set when the budget was too small to ask all tasks. */
export type MatchLimit = { most: number; isReached: boolean };

export class OrgTasks {
  epoch = '';
  version = -1;
  readonly #set = new SelectorSet<Task>();

  get size(): number {
    return this.#set.size;
  }

  get(taskId: string): Task | undefined {
    return this.#set.get(taskId);
  }

  values(): Iterable<Task> {
    return this.#set.values();
  }

  /** Adds a pending task. Returns it, or the task of this id that is already held. */
  add(record: TaskRecord, nowMs: number): Task {
    const known = this.#set.get(record.taskId);
    if (known) return known;
    const ast = parseSelector(record.command.selector);
    const commandLine = record.command.task ?? '';
    const investigationId = investigationIdOf(record.command);
    const task: Task = {
      taskId: record.taskId,
      commandLine,
      investigationId,
      textBytes: Buffer.byteLength(commandLine) + Buffer.byteLength(investigationId),
      expiresAtMs: record.expiresAtMs,
      doneWhenSent: isDoneWhenSent(record.command),
      predicate: compileSelector(ast),
      selected: costDependsOnSensor(ast) ? new WeakSet() : undefined,
      sid: sidOf(ast),
      seenAtMs: nowMs,
      gone: false,
      nextClaims: new Map(),
    };
    this.#set.add(record.taskId, ast, task);
    return task;
  }

  remove(taskId: string): void {
    const task = this.#set.get(taskId);
    if (!task) return;
    task.gone = true;
    task.nextClaims.clear();
    this.#set.delete(taskId);
  }

  /** Forgets the next claims of these sensors. */
  forget(sensors: ReadonlySet<Sensor>): void {
    for (const { nextClaims } of this.#set.values()) {
      if (nextClaims.size > sensors.size) for (const sensor of sensors) nextClaims.delete(sensor);
      else for (const sensor of nextClaims.keys()) if (sensors.has(sensor)) nextClaims.delete(sensor);
    }
  }

  /** The tasks that select the sensor, within the work budget. */
  match({ record }: Sensor, limit: MatchLimit = { most: Number.POSITIVE_INFINITY, isReached: false }): Task[] {
    const before = work.spent;
    const { matched, left } = this.#set.matchWithin(record, limit.most);
    limit.isReached = left.length > 0;
    remember(matched, record, work.spent - before);
    return matched;
  }

  /** All tasks that select the sensor, without a work budget. Other work runs between the slices. */
  async matchInSlices({ record }: Sensor, slices: Slices): Promise<Task[]> {
    const before = work.spent;
    const matched = await this.#set.matchInSlices(record, slices);
    remember(matched, record, work.spent - before);
    return matched;
  }
}

/** The work from which on an answer is remembered. Cheaper selectors are evaluated again. */
const REMEMBERED_FROM = 1_000;

function remember(tasks: readonly Task[], record: SelectorRecord, spent: number): void {
  if (spent >= REMEMBERED_FROM) for (const { selected } of tasks) selected?.add(record);
}

/** Whether the task selects the sensor as it is now. */
export function selects(task: Task, { record }: Sensor): boolean {
  if (task.selected?.has(record)) return true;
  const before = work.spent;
  if (task.predicate(record) !== true) return false;
  remember([task], record, work.spent - before);
  return true;
}

/** The work budget of one synchronous check of many deliveries, for costly selectors and sensors that changed after the match. */
export type CheckBudget = { left: number };
export const newCheckBudget = (): CheckBudget => ({ left: 1_000_000 });

/** `selects` for code that must not await. Without budget left, a costly selector that remembers nothing answers false: the
 *  delivery is due again soon. */
export function selectsWithin(task: Task, sensor: Sensor, budget: CheckBudget): boolean {
  if (task.selected !== undefined && budget.left <= 0) return task.selected.has(sensor.record);
  const before = work.spent;
  const isSelected = selects(task, sensor);
  const spent = work.spent - before;
  if (spent >= REMEMBERED_FROM) budget.left -= spent;
  return isSelected;
}
