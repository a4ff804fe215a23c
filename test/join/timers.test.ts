import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSeat, type Sensor, seatSensor } from '../../src/join/seat.ts';
import type { Task } from '../../src/join/tasks.ts';
import { type Timer, Timers } from '../../src/join/timers.ts';
import { newSensor } from '../../src/model/sensor.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

function taskOf(taskId: string): Task {
  return {
    taskId,
    commandLine: 'run',
    investigationId: taskId,
    expiresAtMs: 0,
    doneWhenSent: false,
    textBytes: 0,
    predicate: () => true,
    sid: undefined,
    seenAtMs: 0,
    gone: false,
    waits: new Map(),
  };
}

function sensorOf(sid: string): Sensor {
  const seat = Object.assign(newSeat('o', 0), { live: true });
  return Object.assign(seatSensor(seat, newSensor('o', sid), 0), { online: true });
}

/** A pair of its own, waiting until `atMono`. */
function timerOf(atMono: number, i = 0): Timer {
  const timer = { atMono, sensor: sensorOf(`s${i}`), task: taskOf(`t${i}`) };
  timer.task.waits.set(timer.sensor, { tag: '', untilMono: atMono });
  return timer;
}

describe(`timers of pairs (seed ${seed})`, () => {
  it('come out soonest first, only when due, each once, whatever the order in which they were set', () => {
    const step = fc.oneof(
      fc.record({ push: fc.nat(50) }),
      fc.record({ due: fc.nat(60), limit: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const timers = new Timers();
        const model: Timer[] = [];
        for (const [i, at] of steps.entries()) {
          if ('push' in at) {
            const timer = timerOf(at.push, i);
            timers.push(timer);
            model.push(timer);
          } else {
            const found = timers.due(at.due, at.limit);
            const expected = model.map(({ atMono }) => atMono).filter((atMono) => atMono <= at.due);
            expect(found.map(({ atMono }) => atMono)).toEqual(expected.sort((a, b) => a - b).slice(0, at.limit));
            for (const timer of found) {
              expect(model).toContain(timer);
              model.splice(model.indexOf(timer), 1);
            }
          }
          expect(timers.size).toBe(model.length);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('hold no more than twice what still waits, however often a pair is set anew', () => {
    const timers = new Timers();
    const waiting = Array.from({ length: 1_000 }, (_, i) => timerOf(1_000_000 + i, i));
    for (const timer of waiting) timers.push(timer);
    for (let round = 0; round < 20; round += 1) {
      for (const timer of waiting) {
        const atMono = 2_000_000 + round;
        timer.task.waits.set(timer.sensor, { tag: '', untilMono: atMono });
        timers.push({ ...timer, atMono });
      }
    }
    expect(timers.size).toBeLessThanOrEqual(2 * 1_024);
    expect(timers.due(3_000_000, 10_000)).toHaveLength(1_000);
  });

  it('are kept while the seat is only not live for now', () => {
    const timers = new Timers();
    const timer = timerOf(1);
    timers.push(timer);
    timer.sensor.seat.live = false;
    for (let i = 0; i < 3_000; i += 1) timers.push({ ...timerOf(5, i), task: taskOf('never waited for') });
    timer.sensor.seat.live = true;
    expect(timers.due(5, 10)).toEqual([timer]);
  });

  const overtaken: [string, (timer: Timer) => void][] = [
    ['the task is gone', ({ task }) => Object.assign(task, { gone: true })],
    ['the sensor is offline', ({ sensor }) => Object.assign(sensor, { online: false })],
    ['the seat is not live', ({ sensor }) => Object.assign(sensor.seat, { live: false })],
    ['the pair waits for longer now', ({ task, sensor }) => task.waits.set(sensor, { tag: '', untilMono: 9 })],
    ['the pair waits no more', ({ task }) => task.waits.clear()],
  ];
  it.each(overtaken)('are passed over, and do not use up the limit, when %s', (_why, overtake) => {
    const timers = new Timers();
    const [first, second] = [timerOf(1), timerOf(2)];
    timers.push(second);
    timers.push(first);
    overtake(first);
    expect(timers.due(5, 1)).toEqual([second]);
    expect(timers.size).toBe(0);
  });
});
