/** When pairs are due again: a binary heap by time, on the monotonic clock. An entry that was overtaken is passed over; when the
 *  heap has doubled, those that can never count again are taken out, so that it holds no more than twice what waits. */
import type { Sensor } from './org-partition.ts';
import type { Task } from './pending-tasks.ts';

export type Timer = { atMono: number; sensor: Sensor; task: Task };

const COMPACT_LEAST = 1_024;

export class RedeliverySchedule {
  #heap: Timer[] = [];
  #compactAt = COMPACT_LEAST;

  get size(): number {
    return this.#heap.length;
  }

  push(timer: Timer): void {
    if (this.#heap.length >= this.#compactAt) this.#compact();
    this.#insert(timer);
  }

  #compact(): void {
    const kept = this.#heap.filter(mayCount).sort((a, b) => a.atMono - b.atMono); // sorted is a heap
    this.#heap = kept;
    this.#compactAt = Math.max(COMPACT_LEAST, 2 * kept.length);
  }

  #insert(timer: Timer): void {
    const heap = this.#heap;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] as Timer).atMono <= timer.atMono) break;
      heap[i] = heap[parent] as Timer;
      i = parent;
    }
    heap[i] = timer;
  }

  /** Takes out what is due at `nowMono`, at most `limit`, soonest first; overtaken entries are dropped uncounted. */
  due(nowMono: number, limit: number): Timer[] {
    const found: Timer[] = [];
    while (found.length < limit && (this.#heap[0]?.atMono ?? Number.POSITIVE_INFINITY) <= nowMono) {
      const timer = this.#pop();
      if (counts(timer)) found.push(timer);
    }
    return found;
  }

  #pop(): Timer {
    const heap = this.#heap;
    const top = heap[0] as Timer;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Timer).atMono < (heap[child] as Timer).atMono) child += 1;
      if ((heap[child] as Timer).atMono >= last.atMono) break;
      heap[i] = heap[child] as Timer;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

/** A seat that is not live now may be again; nothing else comes back. */
const mayCount = ({ atMono, sensor, task }: Timer): boolean =>
  !task.gone && sensor.online && task.redelivery.get(sensor)?.untilMono === atMono;

const counts = (timer: Timer): boolean => timer.sensor.orgPartition.live && mayCount(timer);
