/**
 * When each delivery needs its next claim, and the schedule that makes it due again. All of it is in memory and only saves claims
 * that Redis would refuse: Redis decides.
 *
 * The schedule is a binary heap by time, on the monotonic clock. An entry counts only while the delivery still waits until exactly
 * that time; others are outdated and are skipped. When the heap has doubled, outdated entries are removed, so it holds at most
 * twice as many entries as deliveries wait.
 */
import type { Sensor } from './org-partition.ts';
import type { Due, NextClaim, Task } from './org-tasks.ts';

/** A settled delivery needs no further claim. */
const SETTLED: NextClaim = { connectionHash: '', untilMono: Number.POSITIVE_INFINITY };

/** False if a claim of this delivery would certainly be refused. */
export function mayBeDue(task: Task, sensor: Sensor, nowMono: number): boolean {
  const next = task.nextClaims.get(sensor);
  if (next === undefined) return true;
  if (next === SETTLED) return false;
  return next.connectionHash !== sensor.connectionHash || next.untilMono <= nowMono;
}

/** The delivery is done, failed or removed. */
export function settle(task: Task, sensor: Sensor): void {
  task.nextClaims.set(sensor, SETTLED);
}

export class Redelivery {
  readonly #schedule = new RedeliverySchedule();

  /** No claim before `untilMono` while this connection is open. Then `due` returns the delivery. */
  until(delivery: Due, connectionHash: string, untilMono: number): void {
    const { task, sensor } = delivery;
    if (!isHeld(delivery)) return;
    task.nextClaims.set(sensor, { connectionHash, untilMono });
    this.#schedule.push({ atMono: untilMono, sensor, task });
  }

  /** No claim before `untilMono` while this connection is open. `due` does not return the delivery: the caller takes it up again. */
  hold(delivery: Due, connectionHash: string, untilMono: number): void {
    if (isHeld(delivery)) delivery.task.nextClaims.set(delivery.sensor, { connectionHash, untilMono });
  }

  settle(delivery: Due): void {
    if (isHeld(delivery)) settle(delivery.task, delivery.sensor);
  }

  forget(deliveries: Iterable<Due>): void {
    for (const { task, sensor } of deliveries) task.nextClaims.delete(sensor);
  }

  /** The deliveries that are due again at `nowMono`, at most `limit`, the earliest first. */
  due(nowMono: number, limit: number): Due[] {
    return this.#schedule.due(nowMono, limit);
  }
}

/** Nothing is remembered of a sensor or task that this process no longer holds: nothing would remove it again. */
const isHeld = ({ task, sensor }: Due): boolean =>
  !task.gone && sensor.orgPartition.fencingToken !== null && sensor.orgPartition.sensors.get(sensor.sid) === sensor;

export type ScheduleEntry = Due & { atMono: number };

const COMPACT_LEAST = 1_024;

export class RedeliverySchedule {
  #heap: ScheduleEntry[] = [];
  #compactAt = COMPACT_LEAST;

  get size(): number {
    return this.#heap.length;
  }

  push(entry: ScheduleEntry): void {
    if (this.#heap.length >= this.#compactAt) this.#compact();
    this.#insert(entry);
  }

  #compact(): void {
    const kept = this.#heap.filter(mayCount).sort((a, b) => a.atMono - b.atMono); // a sorted array is a heap
    this.#heap = kept;
    this.#compactAt = Math.max(COMPACT_LEAST, 2 * kept.length);
  }

  #insert(entry: ScheduleEntry): void {
    const heap = this.#heap;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] as ScheduleEntry).atMono <= entry.atMono) break;
      heap[i] = heap[parent] as ScheduleEntry;
      i = parent;
    }
    heap[i] = entry;
  }

  /** Removes and returns what is due at `nowMono`, at most `limit`, the earliest first. Outdated entries do not count. */
  due(nowMono: number, limit: number): ScheduleEntry[] {
    const found: ScheduleEntry[] = [];
    while (found.length < limit && (this.#heap[0]?.atMono ?? Number.POSITIVE_INFINITY) <= nowMono) {
      const entry = this.#pop();
      if (entry.sensor.orgPartition.live && mayCount(entry)) found.push(entry);
    }
    return found;
  }

  #pop(): ScheduleEntry {
    const heap = this.#heap;
    const top = heap[0] as ScheduleEntry;
    const last = heap.pop() as ScheduleEntry;
    if (heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as ScheduleEntry).atMono < (heap[child] as ScheduleEntry).atMono)
        child += 1;
      if ((heap[child] as ScheduleEntry).atMono >= last.atMono) break;
      heap[i] = heap[child] as ScheduleEntry;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

/** An org partition that is not live can become live again. The other conditions never become true again. */
const mayCount = ({ atMono, sensor, task }: ScheduleEntry): boolean =>
  !task.gone && sensor.online && task.nextClaims.get(sensor)?.untilMono === atMono;
