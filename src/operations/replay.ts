/**
 * Folds commands and task events into tasks and deliveries, independently of the Redis scripts, so that both can be compared.
 * Records of a task arrive in the order of their topic. Either topic can be ahead. After the retention, only id and end of a task
 * are kept, to recognize later copies.
 */
import type { TaskCommand, TaskEvent } from '../model/records.ts';
import type { StoredState, TaskState } from '../model/states.ts';
import { contentHashOf, expiryOf } from '../model/task.ts';
import type { InRecord } from '../ports.ts';
import { toAcked } from '../projector/events.ts';
import { isNarrow } from '../projector/project.ts';

export type LoggedDelivery = { state: StoredState; attempt: number; code: string };

export type LoggedTask = {
  oid: string;
  taskId: string;
  /** null while only its events have been read. */
  state: TaskState | null;
  partition: number;
  offset: number;
  appendedAtMs: number;
  contentHash: string;
  expiresAtMs: number;
  endedAtMs: number | null;
  /** When its record is deleted. */
  goneAtMs: number;
  deliveries: Map<string, LoggedDelivery>;
};

export class Replay {
  readonly tasks = new Map<string, LoggedTask>();
  readonly #retentionMs: number;

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs;
  }

  get(oid: string, taskId: string): LoggedTask | undefined {
    return this.tasks.get(`${oid}/${taskId}`);
  }

  command(record: InRecord, command: TaskCommand): void {
    if (command.action === 'TASK') this.#add(record, command);
    else if (!isNarrow({ record, command })) this.#remove(record, command);
  }

  #add({ partition, offset, timestampMs }: InRecord, command: TaskCommand): void {
    const { oid, task_id: taskId } = command;
    const known = this.get(oid, taskId);
    if (known?.state && known.goneAtMs > timestampMs) return; // a repeat or a conflict
    const early = known?.state === null ? known : undefined;
    const expiresAtMs = expiryOf(command);
    this.tasks.set(`${oid}/${taskId}`, {
      oid,
      taskId,
      state: early?.endedAtMs == null ? 'pending' : 'expired',
      partition,
      offset,
      appendedAtMs: timestampMs,
      contentHash: contentHashOf(command),
      expiresAtMs,
      endedAtMs: early?.endedAtMs ?? null,
      goneAtMs: expiresAtMs + this.#retentionMs,
      deliveries: early?.deliveries ?? new Map(),
    });
  }

  #remove({ timestampMs }: InRecord, { oid, task_id: taskId }: TaskCommand): void {
    const task = this.get(oid, taskId);
    if (!task?.state || task.state === 'removed' || task.expiresAtMs <= timestampMs) return;
    task.state = 'removed';
    task.endedAtMs = timestampMs;
    task.goneAtMs = timestampMs + this.#retentionMs;
  }

  event(event: TaskEvent): void {
    const acked = toAcked(event);
    if (!acked) return;
    const task = this.get(event.oid, event.task_id) ?? this.#unknown(event, acked.expiresAtMs);
    if (acked.type === 'expired') {
      if (task.state === 'pending') task.state = 'expired';
      if (task.state !== 'removed') task.endedAtMs = acked.expiresAtMs;
      return;
    }
    const old = task.deliveries.get(acked.sid);
    if (old?.state === 'done' || old?.state === 'failed') return; // only the first receipt counts
    if (acked.type === 'sent' && (old?.state === 'removed' || (old && old.attempt >= acked.attempt))) return;
    const attempt = acked.type === 'removed' ? Math.max(old?.attempt ?? 0, acked.attempt) : acked.attempt;
    task.deliveries.set(acked.sid, { state: acked.type, attempt, code: acked.type === 'failed' ? acked.extra : '0' });
  }

  #unknown({ oid, task_id: taskId }: TaskEvent, expiresAtMs: number): LoggedTask {
    const task: LoggedTask = {
      oid,
      taskId,
      state: null,
      partition: -1,
      offset: -1,
      appendedAtMs: 0,
      contentHash: '',
      expiresAtMs,
      endedAtMs: null,
      goneAtMs: expiresAtMs + this.#retentionMs,
      deliveries: new Map(),
    };
    this.tasks.set(`${oid}/${taskId}`, task);
    return task;
  }

  /** Drops the deliveries of ended tasks: they are no longer compared. */
  trim(nowMs: number): void {
    for (const task of this.tasks.values())
      if (task.goneAtMs <= nowMs && task.deliveries.size > 0) task.deliveries.clear();
  }
}
