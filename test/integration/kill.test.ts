/** Each role is killed (-9) in the middle of 1,000 tasks for 50 sensors, and started again: nothing due is lost. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NO_MISHAPS } from '../../src/fleet/answer.ts';
import { openFleet } from '../../src/fleet/open.ts';
import type { Fleet } from '../../src/fleet/run.ts';
import { System, soon } from './support/system.ts';

const TASKS = 1_000;
const SENSORS = 50;
/** All tasks end together, so long after the first, but none sooner than the least after it was queued. Seconds. */
const ALL_END_AFTER = 50;
const LEAST_TTL = 20;
const AT_ONCE = 20;

const system = new System({ REDELIVERY_FIRST_MS: '3000', KAFKA_SESSION_MS: '6000', ENDED_RETENTION_SECONDS: '600' });
let fleet: Fleet;
let firstAtMs = 0;

beforeAll(async () => {
  await system.start();
  const options = {
    oid: system.oid,
    sensors: SENSORS,
    offline: 0,
    ratePerSecond: 0,
    seed: 5,
    cycle: false,
    shares: NO_MISHAPS,
  };
  fleet = await openFleet(system.config, options, system.log);
});

afterAll(async () => {
  await fleet?.stop();
  await system.stop();
});

/** A client that does not give up: the same idempotency key until the answer comes, as the API's errors ask for. */
async function insist(n: number): Promise<string> {
  const deadline = Date.now() + 40_000;
  const left = Math.ceil((firstAtMs - Date.now()) / 1_000) + ALL_END_AFTER;
  const data = { task: 'os_version', ttl: Math.max(LEAST_TTL, left), idempotency_key: `kill-${n}` };
  for (;;) {
    try {
      return (await system.client.request<{ task_id: string }>('task', data)).task_id;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const settledDeliveries = () =>
  new Set(
    system.seen.events
      .filter(({ type }) => type === 'TASK_DONE' || type === 'TASK_FAILURE')
      .map((e) => `${e.task_id} ${e.sid}`),
  );

describe('a role that is killed in the middle of its work', () => {
  it('loses no command, no delivery and no acknowledgement', async () => {
    const ids = new Set<string>();
    let next = 0;
    firstAtMs = Date.now();
    const work = async () => {
      while (next < TASKS) ids.add(await insist(next++));
    };
    const queueing = Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const [role, tasks] of [
      ['joiner', 150],
      ['projector', 400],
      ['api', 700],
    ] as const) {
      await vi.waitFor(() => expect(ids.size).toBeGreaterThanOrEqual(tasks), { timeout: 60_000, interval: 10 });
      system.kill(role);
      await vi.waitFor(async () => expect(await system.ready(role)).toBe(true), soon);
    }
    await queueing;
    expect(ids.size).toBe(TASKS);
    expect(system.restarts.toSorted()).toEqual(['api SIGKILL', 'joiner SIGKILL', 'projector SIGKILL']);
    await vi.waitFor(() => expect(settledDeliveries().size).toBe(TASKS * SENSORS), { timeout: 60_000, interval: 250 });
    expect(system.seen.deadLetters).toEqual([]);
  }, 150_000);

  it('counts each delivery once, and writes nothing later than a lease after its claim', () => {
    const first = new Map<string, string>();
    for (const event of system.seen.events) {
      if (event.type !== 'TASK_DONE') continue;
      const delivery = `${event.task_id} ${event.sid}`;
      expect(first.get(delivery) ?? event.event_id, delivery).toBe(event.event_id);
      first.set(delivery, event.event_id);
    }
    // By the clocks of the claim and of the broker: nothing is appended later than a lease after its claim (1,000 ms), also
    // while roles are killed and partitions move.
    const late = system.seen.dispatches.filter(
      ({ dispatch, appendedAtMs }) =>
        appendedAtMs - dispatch.dispatched_at > 1_000 || dispatch.dispatched_at >= dispatch.expires_at,
    );
    expect(late).toEqual([]);
  });

  it('leaves nothing pending when all have expired', async () => {
    await vi.waitFor(
      () =>
        expect(system.seen.events.filter(({ type }) => type === 'TASK_EXPIRED').length).toBeGreaterThanOrEqual(TASKS),
      {
        timeout: (ALL_END_AFTER + 10) * 1000,
        interval: 250,
      },
    );
    expect(await system.client.request('list', {})).toEqual({ tasks: [] });
    const keys = await system.redis.keys(`{${system.oid}}:t:*`);
    expect(keys).toEqual([]);
    expect(await system.redis.exists(`{${system.oid}}:ix`)).toBe(0);
  }, 100_000);
});
