import { describe, expect, it } from 'vitest';
import { makeCast } from '../../src/demo/cast.ts';
import { demoTasks } from '../../src/demo/tasks.ts';
import { PLATFORM_CODES } from '../../src/fleet/sensor.ts';

const cast = makeCast();

describe('the cast of the demonstration', () => {
  it('is at least 20 sensors, 6 offline at first, of which 3 come online later', () => {
    expect(cast.all.length).toBeGreaterThanOrEqual(20);
    expect(cast.returning.length + cast.away.length).toBe(6);
    expect(cast.returning.length).toBe(3);
    expect(new Set([...cast.online, ...cast.returning, ...cast.away]).size).toBe(cast.all.length);
  });

  it('has one sensor of each platform that comes online later, and sensor-123-abc online', () => {
    expect(new Set(cast.returning.map(({ facts }) => facts.plat))).toEqual(new Set(Object.values(PLATFORM_CODES)));
    expect(cast.online.map(({ sid }) => sid)).toContain('sensor-123-abc');
  });
});

describe('the tasks of the demonstration', () => {
  const tasks = demoTasks(cast);
  const found = (label: string, sensors = cast.all) =>
    sensors.filter((sensor) => tasks.find((task) => task.label === label)?.matches(sensor)).length;

  it('are JSON in a form body that says so', () => {
    for (const { data } of tasks) expect(JSON.parse(data)).toHaveProperty('task');
  });

  it.each(['whoami on windows', 'file_get on production linux', 'netstat on linux in 10.3.*'])(
    '%s finds some that are online, some that come later, and not all of a kind',
    (label) => {
      expect(found(label, cast.online)).toBeGreaterThan(0);
      expect(found(label, cast.returning)).toBeGreaterThan(0);
      expect(found(label)).toBeLessThan(cast.all.length);
    },
  );

  it('leave out some Linux machines where they ask for more than Linux', () => {
    const linux = cast.all.filter(({ facts }) => facts.plat === PLATFORM_CODES.linux);
    for (const label of ['file_get on production linux', 'netstat on linux in 10.3.*']) {
      expect(found(label, linux)).toBeLessThan(linux.length);
    }
  });

  it('mean only sensors that stay away where they end undelivered', () => {
    for (const task of tasks.filter(({ fate }) => fate !== 'pending')) {
      expect(cast.all.filter(task.matches)).toEqual(cast.away);
    }
  });
});
