/**
 * The pending tasks of one org, compiled, as a joiner holds them in memory. What it remembers of a pair only saves claims
 * that would be refused; the word of Redis counts.
 */
import type { TaskRecord } from '../model/task.ts';
import { investigationIdOf, isDoneWhenSent } from '../model/task.ts';
import {
  asksOfTexts,
  compileSelector,
  type Predicate,
  parseSelector,
  type SelectorRecord,
  SelectorSet,
  type Slices,
  sidOf,
  work,
} from '../selector/index.ts';
import type { Sensor } from './org-partition.ts';

/** Until when a pair needs no claim, on the monotonic clock, and for which connection. Settled pairs never do. */
export type NextClaim = { connectionHash: string; untilMono: number };

export const SETTLED: NextClaim = { connectionHash: '', untilMono: Number.POSITIVE_INFINITY };

export type Task = {
  taskId: string;
  commandLine: string;
  investigationId: string;
  expiresAtMs: number;
  doneWhenSent: boolean;
  /** Of the command line and the investigation id, which each dispatch carries. */
  textBytes: number;
  predicate: Predicate;
  /** Records that it is known to select; only where asking costs something. A record never changes. */
  selected?: WeakSet<SelectorRecord> | undefined;
  /** Set when the selector is `sid ==` alone. */
  sid: string | undefined;
  /** Wall clock of the process when it learnt of the task. */
  seenAtMs: number;
  gone: boolean;
  redelivery: Map<Sensor, NextClaim>;
};

/** `most`: work (selector/work.ts) to be spent; `isReached` is set where it was not enough to ask all tasks. */
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

  /** Adds a pending task; answers it, or the one that is there. */
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
      selected: asksOfTexts(ast) ? new WeakSet() : undefined,
      sid: sidOf(ast),
      seenAtMs: nowMs,
      gone: false,
      redelivery: new Map(),
    };
    this.#set.add(record.taskId, ast, task);
    return task;
  }

  remove(taskId: string): void {
    const task = this.#set.get(taskId);
    if (!task) return;
    task.gone = true;
    task.redelivery.clear();
    this.#set.delete(taskId);
  }

  /** Nothing is remembered of these sensors. */
  forget(sensors: ReadonlySet<Sensor>): void {
    for (const { redelivery } of this.#set.values()) {
      if (redelivery.size > sensors.size) for (const sensor of sensors) redelivery.delete(sensor);
      else for (const sensor of redelivery.keys()) if (sensors.has(sensor)) redelivery.delete(sensor);
    }
  }

  /** The tasks that select the sensor, as far as `limit` goes. */
  match({ record }: Sensor, limit: MatchLimit = { most: Number.POSITIVE_INFINITY, isReached: false }): Task[] {
    const before = work.spent;
    const { matched, left } = this.#set.matchWithin(record, limit.most);
    limit.isReached = left.length > 0;
    remember(matched, record, work.spent - before);
    return matched;
  }

  /** All of them, without a work limit. Other work runs between slices. */
  async matchInSlices({ record }: Sensor, slices: Slices): Promise<Task[]> {
    const before = work.spent;
    const matched = await this.#set.matchInSlices(record, slices);
    remember(matched, record, work.spent - before);
    return matched;
  }
}

/** Cheaper selectors are evaluated again instead of remembered. */
const REMEMBERED_FROM = 1_000;

function remember(tasks: readonly Task[], record: SelectorRecord, spent: number): void {
  if (spent >= REMEMBERED_FROM) for (const { selected } of tasks) selected?.add(record);
}

/** Whether the task selects the sensor as it is now: a pair is asked at its match, and again before each sending. */
export function selects(task: Task, { record }: Sensor): boolean {
  if (task.selected?.has(record)) return true;
  const before = work.spent;
  if (task.predicate(record) !== true) return false;
  remember([task], record, work.spent - before);
  return true;
}

/** Work that one synchronous check of many pairs may spend on costly ones, of sensors that have changed since they matched. */
export type CheckBudget = { left: number };
export const newCheckBudget = (): CheckBudget => ({ left: 1_000_000 });

/** The same where nothing may be awaited. Once the budget is spent, false for what is not remembered: it is due again soon. */
export function selectsWithin(task: Task, sensor: Sensor, budget: CheckBudget): boolean {
  if (task.selected !== undefined && budget.left <= 0) return task.selected.has(sensor.record);
  const before = work.spent;
  const isSelected = selects(task, sensor);
  const spent = work.spent - before;
  if (spent >= REMEMBERED_FROM) budget.left -= spent;
  return isSelected;
}

/** True unless it is known that a claim of this pair would be refused. */
export function mayBeDue(task: Task, sensor: Sensor, nowMono: number): boolean {
  const wait = task.redelivery.get(sensor);
  if (wait === undefined) return true;
  if (wait === SETTLED) return false;
  return wait.connectionHash !== sensor.connectionHash || wait.untilMono <= nowMono;
}
