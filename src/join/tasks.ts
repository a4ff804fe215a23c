/**
 * The pending tasks of one org, compiled, as a joiner holds them in memory. What it remembers of a pair only saves claims
 * that would be refused; the word of Redis counts.
 */
import type { TaskRecord } from '../model/task.ts';
import { investigationIdOf, isDoneWhenSent } from '../model/task.ts';
import { compileSelector, type Predicate, parseSelector, SelectorSet, sidOf } from '../selector/index.ts';
import type { Sensor } from './seat.ts';

/** Until when a pair needs no claim, on the monotonic clock, and for which connection. Settled pairs never do. */
export type Wait = { tag: string; untilMono: number };

export const SETTLED: Wait = { tag: '', untilMono: Number.POSITIVE_INFINITY };

export type Task = {
  taskId: string;
  commandLine: string;
  investigationId: string;
  expiresAtMs: number;
  doneWhenSent: boolean;
  /** Of the command line and the investigation id, which each dispatch carries. */
  textBytes: number;
  predicate: Predicate;
  /** Set when the selector is `sid ==` alone. */
  sid: string | undefined;
  /** Wall clock of the process when it learnt of the task. */
  seenAtMs: number;
  gone: boolean;
  waits: Map<Sensor, Wait>;
};

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
      sid: sidOf(ast),
      seenAtMs: nowMs,
      gone: false,
      waits: new Map(),
    };
    this.#set.add(record.taskId, ast, task);
    return task;
  }

  remove(taskId: string): void {
    const task = this.#set.get(taskId);
    if (!task) return;
    task.gone = true;
    task.waits.clear();
    this.#set.delete(taskId);
  }

  /** Nothing is remembered of these sensors. */
  forget(sensors: ReadonlySet<Sensor>): void {
    for (const { waits } of this.#set.values()) {
      if (waits.size > sensors.size) for (const sensor of sensors) waits.delete(sensor);
      else for (const sensor of waits.keys()) if (sensors.has(sensor)) waits.delete(sensor);
    }
  }

  match(sensor: Sensor): Task[] {
    return this.#set.match(sensor.record);
  }
}

/** True unless it is known that a claim of this pair would be refused. */
export function mayBeDue(task: Task, sensor: Sensor, nowMono: number): boolean {
  const wait = task.waits.get(sensor);
  if (wait === undefined) return true;
  if (wait === SETTLED) return false;
  return wait.tag !== sensor.tag || wait.untilMono <= nowMono;
}
