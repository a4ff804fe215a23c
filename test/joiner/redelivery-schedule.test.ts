import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSensor, newOrgPartition, type Sensor } from '../../src/joiner/org-partition.ts';
import type { Task } from '../../src/joiner/pending-tasks.ts';
import { RedeliverySchedule, type Timer } from '../../src/joiner/redelivery-schedule.ts';
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
    redelivery: new Map(),
  };
}

function sensorOf(sid: string): Sensor {
  const orgPartition = Object.assign(newOrgPartition('o', 0), { live: true });
  return Object.assign(addSensor(orgPartition, newSensor('o', sid), 0), { online: true });
}

/** A pair of its own, waiting until `atMono`. */
function timerOf(atMono: number, i = 0): Timer {
  const timer = { atMono, sensor: sensorOf(`s${i}`), task: taskOf(`t${i}`) };
  timer.task.redelivery.set(timer.sensor, { connectionHash: '', untilMono: atMono });
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
        const schedule = new RedeliverySchedule();
        const model: Timer[] = [];
        for (const [i, at] of steps.entries()) {
          if ('push' in at) {
            const timer = timerOf(at.push, i);
            schedule.push(timer);
            model.push(timer);
          } else {
            const found = schedule.due(at.due, at.limit);
            const expected = model.map(({ atMono }) => atMono).filter((atMono) => atMono <= at.due);
            expect(found.map(({ atMono }) => atMono)).toEqual(expected.sort((a, b) => a - b).slice(0, at.limit));
            for (const timer of found) {
              expect(model).toContain(timer);
              model.splice(model.indexOf(timer), 1);
            }
          }
          expect(schedule.size).toBe(model.length);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('hold no more than twice what still waits, however often a pair is set anew', () => {
    const schedule = new RedeliverySchedule();
    const waiting = Array.from({ length: 1_000 }, (_, i) => timerOf(1_000_000 + i, i));
    for (const timer of waiting) schedule.push(timer);
    for (let round = 0; round < 20; round += 1) {
      for (const timer of waiting) {
        const atMono = 2_000_000 + round;
        timer.task.redelivery.set(timer.sensor, { connectionHash: '', untilMono: atMono });
        schedule.push({ ...timer, atMono });
      }
    }
    expect(schedule.size).toBeLessThanOrEqual(2 * 1_024);
    expect(schedule.due(3_000_000, 10_000)).toHaveLength(1_000);
  });

  it('are kept while the seat is only not live for now', () => {
    const schedule = new RedeliverySchedule();
    const timer = timerOf(1);
    schedule.push(timer);
    timer.sensor.orgPartition.live = false;
    for (let i = 0; i < 3_000; i += 1) schedule.push({ ...timerOf(5, i), task: taskOf('never waited for') });
    timer.sensor.orgPartition.live = true;
    expect(schedule.due(5, 10)).toEqual([timer]);
  });

  const overtaken: [string, (timer: Timer) => void][] = [
    ['the task is gone', ({ task }) => Object.assign(task, { gone: true })],
    ['the sensor is offline', ({ sensor }) => Object.assign(sensor, { online: false })],
    ['the seat is not live', ({ sensor }) => Object.assign(sensor.orgPartition, { live: false })],
    [
      'the pair waits for longer now',
      ({ task, sensor }) => task.redelivery.set(sensor, { connectionHash: '', untilMono: 9 }),
    ],
    ['the pair waits no more', ({ task }) => task.redelivery.clear()],
  ];
  it.each(overtaken)('are passed over, and do not use up the limit, when %s', (_why, overtake) => {
    const schedule = new RedeliverySchedule();
    const [first, second] = [timerOf(1), timerOf(2)];
    schedule.push(second);
    schedule.push(first);
    overtake(first);
    expect(schedule.due(5, 1)).toEqual([second]);
    expect(schedule.size).toBe(0);
  });
});
