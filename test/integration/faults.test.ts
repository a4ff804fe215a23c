/** Faults of a running system: Redis loses all data, owners die and partitions move, an org unsubscribes. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OrgSetting } from '../../src/model/records.ts';
import { bootstrapSettings } from '../../src/orgs/bootstrap.ts';
import { EXTENSION, OrgTable } from '../../src/orgs/table.ts';
import { System, soon } from './support/system.ts';

const system = new System({ REDELIVERY_FIRST_MS: '2000', KAFKA_SESSION_MS: '6000' });

beforeAll(() => system.start(['api', 'projector', 'joiner', 'joiner-2']));
afterAll(() => system.stop());

const waitFor = <T>(check: () => T) => vi.waitFor(check, soon);
const done = (taskId: string) => system.eventsOf(taskId, 'TASK_DONE').length;

async function settings(records: OrgSetting[]): Promise<void> {
  const encoded = records.map((r) => ({
    key: `${r.oid}/${r.kind}/${r.name}`,
    value: system.codec.encode('OrgSetting', r),
  }));
  await system.producer.send(system.topics.orgSettings, encoded);
}

describe('Redis that has lost everything', () => {
  it('gets it back from the log, acknowledgements and sensors included, without anyone doing anything', async () => {
    const [answers, silent] = [randomUUID(), randomUUID()];
    await system.presence({ sid: answers, connection_id: 'a' });
    await system.presence({ sid: silent, connection_id: 'b' });
    const [taskId, removed] = [randomUUID(), randomUUID()];
    await system.command({ task_id: taskId, selector: `sid == "${answers}" or sid == "${silent}"` });
    await system.command({ task_id: removed, selector: `sid == "${silent}"`, task: 'netstat' });
    await waitFor(() => expect(system.sent(taskId).length).toBeGreaterThanOrEqual(2));
    await system.answer({ sid: answers, task_id: taskId });
    await waitFor(() => expect(done(taskId)).toBe(1));
    await system.client.request('untask', { task_id: removed });
    const before = { acked: system.sent(taskId, answers).length, removed: system.sent(removed).length };

    const keys = await system.redis.keys(`{${system.oid}}:*`);
    await system.redis.del(...keys);
    await vi.waitFor(async () => expect(await system.ready('projector')).toBe(false), { timeout: 5_000, interval: 10 });
    await waitFor(async () => {
      expect(await system.ready('projector')).toBe(true);
      expect(await system.ready('joiner')).toBe(true);
    });

    const { tasks } = await system.client.request<{ tasks: { task_id: string; acknowledged: string[] }[] }>('list', {});
    expect(tasks.map((task) => task.task_id)).toContain(taskId);
    expect(tasks.map((task) => task.task_id)).not.toContain(removed);
    expect(tasks.find((task) => task.task_id === taskId)?.acknowledged).toEqual([answers]);
    await waitFor(() => expect(system.sent(taskId, silent).length).toBeGreaterThanOrEqual(2));
    await system.answer({ sid: silent, task_id: taskId });
    await waitFor(() => expect(done(taskId)).toBe(2));
    expect(system.sent(taskId, answers)).toHaveLength(before.acked);
    expect(system.sent(removed)).toHaveLength(before.removed);
    expect(new Set(system.eventsOf(taskId, 'ADD_TASK').map(({ event_id }) => event_id)).size).toBe(1);
  });

  it('gets it back though nothing new comes and the projector was not running when it was lost', async () => {
    const taskId = randomUUID();
    await system.command({ task_id: taskId, selector: 'hostname == nobody' });
    await waitFor(() => expect(system.eventsOf(taskId, 'ADD_TASK')).toHaveLength(1));
    await system.roles.get('projector')?.stop();
    await system.redis.del(...(await system.redis.keys(`{${system.oid}}:*`)));
    await system.startRoles(['projector']);
    await waitFor(async () => {
      const { tasks } = await system.client.request<{ tasks: { task_id: string }[] }>('list', {});
      expect(tasks.map((task) => task.task_id)).toContain(taskId);
    });
    expect(new Set(system.seen.deadLetters)).toEqual(new Set());
  });

  it('answers 503 with Retry-After until then', async () => {
    await system.redis.del(`{${system.oid}}:m`);
    const { jwt } = (await (
      await fetch(system.url, { method: 'POST', body: new URLSearchParams({ oid: system.oid, secret: system.apiKey }) })
    ).json()) as { jwt: string };
    const answer = await fetch(`${system.url}/v1/extension/request/${EXTENSION}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${jwt}` },
      body: new URLSearchParams({ oid: system.oid, action: 'list', data: '{}' }),
    });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await waitFor(async () => expect(await system.ready('projector')).toBe(true));
    await waitFor(async () => expect(await system.client.request('list', {})).toBeTruthy());
  });
});

describe('partitions that move', () => {
  it('are taken over from an owner that was killed, with what it knew of its sensors', async () => {
    const sids = Array.from({ length: 40 }, () => randomUUID());
    await Promise.all(sids.map((sid) => system.presence({ sid, connection_id: `c-${sid}` })));
    const first = randomUUID();
    const selector = sids.map((sid) => `sid == "${sid}"`).join(' or ');
    await system.command({ task_id: first, selector });
    await waitFor(() => expect(new Set(system.sent(first).map(({ sid }) => sid)).size).toBe(40));
    system.kill('joiner');
    const second = randomUUID();
    await system.command({ task_id: second, selector });
    await waitFor(() => expect(new Set(system.sent(second).map(({ sid }) => sid)).size).toBe(40));
    for (const sid of sids) await system.answer({ sid, task_id: second });
    await waitFor(() => expect(new Set(system.eventsOf(second, 'TASK_DONE').map(({ sid }) => sid)).size).toBe(40));
    await waitFor(async () => expect(await system.ready('joiner')).toBe(true));
    for (const { connection_id, sid } of system.sent(second)) expect(connection_id).toBe(`c-${sid}`);
  });

  it('are given back when a process is asked to stop, and it ends with exit code 0', async () => {
    const role = system.roles.get('joiner-2');
    await role?.stop();
    const sids = Array.from({ length: 10 }, () => randomUUID());
    await Promise.all(sids.map((sid) => system.presence({ sid })));
    const taskId = randomUUID();
    await system.command({ task_id: taskId, selector: sids.map((sid) => `sid == "${sid}"`).join(' or ') });
    // Sooner than the session of a member that just vanished would have ended.
    await vi.waitFor(() => expect(new Set(system.sent(taskId).map(({ sid }) => sid)).size).toBe(10), {
      timeout: 5_000,
      interval: 25,
    });
  });
});

describe('orgs', () => {
  it('are separate: the same sid, task id and selector in another org match nothing of this one', async () => {
    const other = randomUUID();
    await settings(bootstrapSettings(new OrgTable(), other, randomUUID(), Date.now()));
    const sid = randomUUID();
    const taskId = randomUUID();
    await system.presence({ sid });
    await system.command({ task_id: taskId, selector: `sid == "${sid}"`, oid: other });
    await system.presence({ sid, oid: other });
    await waitFor(() => expect(system.sent(taskId)).not.toEqual([]));
    expect(system.sent(taskId).every((dispatch) => dispatch.oid === other)).toBe(true);
    await system.answer({ sid, task_id: taskId });
    const own = randomUUID();
    await system.command({ task_id: own, selector: `sid == "${sid}"` });
    await waitFor(() => expect(system.sent(own)).not.toEqual([]));
    expect(system.eventsOf(taskId, 'TASK_DONE')).toEqual([]);
    await system.answer({ sid, task_id: taskId, oid: other });
    await waitFor(() => expect(system.eventsOf(taskId, 'TASK_DONE').map(({ oid }) => oid)).toEqual([other]));
  });

  it('get nothing while they are not subscribed, and what waited once they are again', async () => {
    const oid = randomUUID();
    const [from, now] = [Date.now() - 1_000, Date.now()];
    const subscription = (periods: object[]): OrgSetting => ({
      oid,
      kind: 'SUBSCRIPTION',
      name: EXTENSION,
      etag: '',
      value: JSON.stringify({ periods }),
      updated_at: now,
      updated_by: 'test',
    });
    await settings([{ ...subscription([]), kind: 'ORG', name: oid, value: '{}' }, subscription([{ from }])]);
    const sid = randomUUID();
    const waits = randomUUID();
    await system.command({ task_id: waits, oid, selector: `sid == "${sid}"` });
    await waitFor(() => expect(system.eventsOf(waits, 'ADD_TASK')).toHaveLength(1));
    const to = Date.now();
    await settings([subscription([{ from, to }])]);
    const refused = randomUUID();
    await waitFor(async () => {
      await system.command({ task_id: refused, oid, selector: `sid == "${sid}"`, task: 'late' });
      expect(
        system.seen.deadLetters.some(
          (r) => String(r.key) === refused && String(r.headers['rt-error-code']) === 'not_subscribed',
        ),
      ).toBe(true);
    });
    await system.presence({ sid, oid });
    await waitFor(async () => {
      const rows = await Promise.all([0, 1, 2, 3].map((p) => system.redis.hget(`{${oid}}:o:${p}`, sid)));
      expect(rows.some((row) => row?.startsWith('1 '))).toBe(true);
    });
    expect(system.sent(waits)).toEqual([]);
    await settings([subscription([{ from, to }, { from: Date.now() }])]);
    await waitFor(() => expect(system.sent(waits)).toHaveLength(1));
  });
});
