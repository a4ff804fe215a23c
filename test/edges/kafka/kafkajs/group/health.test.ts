import { describe, expect, it } from 'vitest';
import { GroupHealth } from '../../../../../src/edges/kafka/kafkajs/group/health.ts';

describe('a member of a group', () => {
  it('has a fault for a while after each stop, though it has joined again', () => {
    const health = new GroupHealth(0);
    health.stopped(new TypeError('a batch that nobody can read'), 1_000);
    health.moved(2_000);
    expect(health.fault(true, 2_000)).toContain('TypeError: a batch that nobody can read');
    health.moved(11_000);
    expect(health.fault(true, 11_000)).toBeNull();
  });

  it('has a fault when no fetch has an answer, unless it holds nothing or works on a batch', () => {
    const health = new GroupHealth(0);
    expect(health.fault(true, 4_000)).toBeNull();
    expect(health.fault(true, 7_000)).toContain('for 7 s');
    expect(health.fault(false, 7_000)).toBeNull();
    const done = health.working(() => 20_000);
    expect(health.fault(true, 19_000)).toBeNull();
    done();
    expect(health.fault(true, 21_000)).toBeNull();
    expect(health.fault(true, 26_000)).toContain('for 6 s');
  });
});
