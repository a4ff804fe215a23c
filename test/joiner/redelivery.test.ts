import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSensor, newOrgPartition, type Sensor } from '../../src/joiner/org-partition.ts';
import type { Task } from '../../src/joiner/org-tasks.ts';
import { RedeliverySchedule, type ScheduleEntry } from '../../src/joiner/redelivery.ts';
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
    nextClaims: new Map(),
  };
}

function sensorOf(sid: string): Sensor {
  const orgPartition = Object.assign(newOrgPartition('o', 0), { live: true });
  return Object.assign(addSensor(orgPartition, newSensor('o', sid), 0), { online: true });
}

/** An entry for a delivery that waits until `atMono`. */
function entryOf(atMono: number, i = 0): ScheduleEntry {
  const entry = { atMono, sensor: sensorOf(`s${i}`), task: taskOf(`t${i}`) };
  entry.task.nextClaims.set(entry.sensor, { connectionHash: '', untilMono: atMono });
  return entry;
}

describe(`scheduled redeliveries (seed ${seed})`, () => {
  it('are returned when they are due, the earliest first, each once, in whatever order they were added', () => {
    const step = fc.oneof(
      fc.record({ push: fc.nat(50) }),
      fc.record({ due: fc.nat(60), limit: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const schedule = new RedeliverySchedule();
        const model: ScheduleEntry[] = [];
        for (const [i, at] of steps.entries()) {
          if ('push' in at) {
            const entry = entryOf(at.push, i);
            schedule.push(entry);
            model.push(entry);
          } else {
            const found = schedule.due(at.due, at.limit);
            const expected = model.map(({ atMono }) => atMono).filter((atMono) => atMono <= at.due);
            expect(found.map(({ atMono }) => atMono)).toEqual(expected.sort((a, b) => a - b).slice(0, at.limit));
            for (const entry of found) {
              expect(model).toContain(entry);
              model.splice(model.indexOf(entry), 1);
            }
          }
          expect(schedule.size).toBe(model.length);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('are at most twice as many as the deliveries that wait, however often one is scheduled again', () => {
    const schedule = new RedeliverySchedule();
    const waiting = Array.from({ length: 1_000 }, (_, i) => entryOf(1_000_000 + i, i));
    for (const entry of waiting) schedule.push(entry);
    for (let round = 0; round < 20; round += 1) {
      for (const entry of waiting) {
        const atMono = 2_000_000 + round;
        entry.task.nextClaims.set(entry.sensor, { connectionHash: '', untilMono: atMono });
        schedule.push({ ...entry, atMono });
      }
    }
    expect(schedule.size).toBeLessThanOrEqual(2 * 1_024);
    expect(schedule.due(3_000_000, 10_000)).toHaveLength(1_000);
  });

  it('stay while the org partition is not live', () => {
    const schedule = new RedeliverySchedule();
    const entry = entryOf(1);
    schedule.push(entry);
    entry.sensor.orgPartition.live = false;
    for (let i = 0; i < 3_000; i += 1) schedule.push({ ...entryOf(5, i), task: taskOf('never scheduled') });
    entry.sensor.orgPartition.live = true;
    expect(schedule.due(5, 10)).toEqual([entry]);
  });

  const outdated: [string, (entry: ScheduleEntry) => void][] = [
    ['the task has ended', ({ task }) => Object.assign(task, { gone: true })],
    ['the sensor is offline', ({ sensor }) => Object.assign(sensor, { online: false })],
    ['the org partition is not live', ({ sensor }) => Object.assign(sensor.orgPartition, { live: false })],
    [
      'the delivery is due later now',
      ({ task, sensor }) => task.nextClaims.set(sensor, { connectionHash: '', untilMono: 9 }),
    ],
    ['the delivery is not scheduled any more', ({ task }) => task.nextClaims.clear()],
  ];
  it.each(outdated)('are skipped, and do not count against the limit, if %s', (_why, outdate) => {
    const schedule = new RedeliverySchedule();
    const [first, second] = [entryOf(1), entryOf(2)];
    schedule.push(second);
    schedule.push(first);
    outdate(first);
    expect(schedule.due(5, 1)).toEqual([second]);
    expect(schedule.size).toBe(0);
  });
});
