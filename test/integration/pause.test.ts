/**
 * A joiner is stopped (SIGSTOP) in the middle of its work and goes on later: what was untasked, expired or acknowledged
 * meanwhile is not sent any more. What can be left is the one produce that had passed its last check: docs/guarantees.md.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { System, soon } from './support/system.ts';

const SENSORS = 400;
const TASKS = 20;
const LEASE_MS = 1_000;
/** More fit into no produce (src/joiner/delivery/produce-window.ts): 800,000 bytes of dispatches of more than 250. */
const ONE_PRODUCE = 3_200;
const SHORT_ROUNDS = 2;

const system = new System({ KAFKA_SESSION_MS: '6000', REDELIVERY_FIRST_MS: '2000' });
const sids = Array.from({ length: SENSORS }, () => randomUUID());
const waitFor = <T>(check: () => T) => vi.waitFor(check, { ...soon, interval: 5 });

beforeAll(async () => {
  await system.start(['api', 'projector', 'joiner', 'joiner-2']);
  await Promise.all(sids.map((sid) => system.presence({ sid, connection_id: `c-${sid}` })));
  const all = await system.client.request<{ task_id: string }>('task', { task: 'first', ttl: 60 });
  await waitFor(() => expect(new Set(system.sent(all.task_id).map(({ sid }) => sid)).size).toBe(SENSORS));
  await system.client.request('untask', { task_id: all.task_id });
});
afterAll(() => system.stop());

/** Queues tasks for all sensors, and stops the joiner as soon as the first dispatch of them is on the log. */
async function stopInTheMiddle(ttl: number): Promise<Set<string>> {
  const ids = Array.from({ length: TASKS }, () => randomUUID());
  await Promise.all(ids.map((task_id) => system.command({ task_id, ttl, task: `run ${'x'.repeat(50)}` })));
  const mine = new Set<string>(ids);
  await waitFor(() => expect(system.seen.dispatches.some(({ dispatch }) => mine.has(dispatch.task_id))).toBe(true));
  system.kill('joiner', 'SIGSTOP');
  return mine;
}

/** The joiner goes on; resolves when it does its work again, with all that it had left behind it. */
async function goOn(): Promise<void> {
  system.kill('joiner', 'SIGCONT');
  await waitFor(async () => {
    expect(await system.ready('joiner')).toBe(true);
    expect(await system.ready('joiner-2')).toBe(true);
  });
  const { task_id } = await system.client.request<{ task_id: string }>('task', { task: 'marker', ttl: 60 });
  await waitFor(() => expect(new Set(system.sent(task_id).map(({ sid }) => sid)).size).toBe(SENSORS));
  await system.client.request('untask', { task_id });
}

const appendedAfter = (atMs: number, tasks: Set<string>) =>
  system.seen.dispatches.filter(({ dispatch, appendedAtMs }) => appendedAtMs > atMs && tasks.has(dispatch.task_id));

/** At most one produce, and its age identifies each dispatch: a gateway that refuses old ones sends nothing late. */
function expectTheOneProduce(late: ReturnType<typeof appendedAfter>): void {
  expect(late.length).toBeLessThanOrEqual(ONE_PRODUCE);
  for (const { dispatch, appendedAtMs } of late)
    expect(appendedAtMs - dispatch.dispatched_at).toBeGreaterThan(LEASE_MS);
}

const untask = (task_id: string) => system.client.request('untask', { task_id });
const allOf = (found: { sid: string | null }[]) => expect(new Set(found.map(({ sid }) => sid)).size).toBe(SENSORS);

describe('a joiner that was stopped', () => {
  it.each(Array.from({ length: SHORT_ROUNDS }, (_, i) => i + 1))(
    'for longer than a lease sends nothing that was untasked meanwhile (%i)',
    async () => {
      const tasks = await stopInTheMiddle(60);
      await Promise.all([...tasks].map(untask));
      const answeredAt = Date.now();
      await goOn();
      expectTheOneProduce(appendedAfter(answeredAt, tasks));
    },
    60_000,
  );

  it('for longer than its session sends nothing that was untasked, expired or acknowledged meanwhile', async () => {
    const tasks = await stopInTheMiddle(60);
    const stoppedAt = Date.now();
    const short = Array.from({ length: 5 }, () => randomUUID());
    await Promise.all(short.map((task_id) => system.command({ task_id, ttl: 4 })));
    // The other joiner has taken over, and sends to all.
    await waitFor(() => allOf(appendedAfter(stoppedAt + 5_000, tasks).map(({ dispatch }) => dispatch)));
    const [answered, withdrawn] = [...tasks] as [string, string];
    await Promise.all(sids.map((sid) => system.answer({ sid, task_id: answered })));
    await waitFor(() => allOf(system.eventsOf(answered, 'TASK_DONE')));
    await untask(withdrawn);
    for (const task_id of short) await waitFor(() => expect(system.eventsOf(task_id, 'TASK_EXPIRED')).toHaveLength(1));
    const overAt = Date.now();
    await goOn();
    expectTheOneProduce(appendedAfter(overAt, new Set([answered, withdrawn, ...short])));
  }, 90_000);
});
