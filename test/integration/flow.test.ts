/** From curl to the acknowledgement, and every turn that a task can take, on real Kafka and Redis. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SensorFacts } from '../../src/model/records.ts';
import { System, soon } from './support/system.ts';

const system = new System({ REDELIVERY_FIRST_MS: '500', REDELIVERY_MAX_MS: '1000', ENDED_RETENTION_SECONDS: '60' });

const facts = (change: Partial<SensorFacts> = {}): SensorFacts => ({
  iid: '',
  did: '',
  hostname: 'ws-01',
  ext_ip: '203.0.113.4',
  int_ip: '10.3.0.7',
  mac_addr: '',
  plat: 0x20000000,
  ext_plat: 0x20000000,
  arch: 2,
  enroll: 1_700_000_000_000,
  isolated: false,
  should_isolate: false,
  kernel: true,
  tags: ['production'],
  ...change,
});

beforeAll(() => system.start());
afterAll(() => system.stop());

const waitFor = <T>(check: () => T) => vi.waitFor(check, soon);

/** Runs curl itself: what people type is what is tested. */
const curl = (...args: string[]): { data: Record<string, never>; error: string } =>
  JSON.parse(execFileSync('curl', ['-s', ...args], { encoding: 'utf8' }));

function request(action: string, data: string) {
  const { jwt } = curl(`${system.url}/`, '--data', `oid=${system.oid}&secret=${system.apiKey}`) as unknown as {
    jwt: string;
  };
  const url = `${system.url}/v1/extension/request/ext-reliable-tasking`;
  return curl(url, '-H', `Authorization: Bearer ${jwt}`, '--data', `oid=${system.oid}&action=${action}&data=${data}`);
}

describe('a task', () => {
  it('goes from curl to a sensor that is online, and its receipt comes back as an acknowledgement', async () => {
    const sid = `sensor-${randomUUID()}`;
    await system.presence({ sid, sensor: facts() });
    await waitFor(async () =>
      expect(
        (await system.client.request<{ total_sensors: number }>('task', { task: 'os_version', sid })).total_sensors,
      ).toBe(1),
    );
    const { data } = request(
      'task',
      `{"task":"run --shell-command a && b 1+1 100% %41 %2541","sid":"${sid}","context":"audit"}`,
    );
    const { task_id } = data as unknown as { task_id: string };
    const [dispatch] = await waitFor(() => {
      expect(system.sent(task_id)).toHaveLength(1);
      return system.sent(task_id);
    });
    expect(dispatch).toMatchObject({
      sid,
      task: 'run --shell-command a && b 1+1 100% A %41',
      investigation_id: `audit/${task_id}`,
      attempt: 1,
    });
    await system.answer({ sid, investigation_id: `audit/${task_id}` }, { ERROR: 0 });
    await waitFor(() => expect(system.eventsOf(task_id, 'TASK_DONE')).toHaveLength(1));
    const list = request('list', '{}') as unknown as { data: { tasks: { task_id: string; acknowledged: string[] }[] } };
    expect(list.data.tasks.find((task) => task.task_id === task_id)?.acknowledged).toEqual([sid]);
  });

  it('waits for a sensor that is offline, and for one that enrols later', async () => {
    const [offline, later] = [randomUUID(), randomUUID()];
    await system.presence({
      sid: offline,
      event: 'UPDATED',
      connection_id: '',
      sensor: facts({ hostname: 'offline' }),
    });
    const taskId = randomUUID();
    await system.command({ task_id: taskId, selector: `sid == "${offline}" or hostname == later` });
    await waitFor(() => expect(system.eventsOf(taskId, 'ADD_TASK')).toHaveLength(1));
    await system.presence({ sid: later, sensor: facts({ hostname: 'later' }) });
    await waitFor(() => expect(system.sent(taskId, later)).toHaveLength(1));
    expect(system.sent(taskId, offline)).toEqual([]);
    await system.presence({ sid: offline });
    await waitFor(() => expect(system.sent(taskId, offline)).toHaveLength(1));
  });

  it('is sent again with growing pauses until it is answered, and at once after a new connect', async () => {
    const sid = randomUUID();
    await system.presence({ sid, connection_id: 'one', sensor: facts() });
    const taskId = randomUUID();
    await system.command({ task_id: taskId, selector: `sid == "${sid}"` });
    await waitFor(() => expect(system.sent(taskId).map(({ attempt }) => attempt)).toEqual([1, 2]));
    await system.presence({ sid, connection_id: 'two' });
    await waitFor(() => expect(system.sent(taskId).at(-1)).toMatchObject({ connection_id: 'two' }));
    const sent = system.sent(taskId);
    expect(sent.map(({ attempt }) => attempt)).toEqual(sent.map((_, i) => i + 1));
    await system.answer({ sid, task_id: taskId });
    await waitFor(() => expect(system.eventsOf(taskId, 'TASK_DONE')).toHaveLength(1));
    const count = system.sent(taskId).length;
    // Another task of the same sensor is answered after more than one pause of the first: it would have come by then.
    const other = randomUUID();
    await system.command({ task_id: other, selector: `sid == "${sid}"` });
    await waitFor(() => expect(system.sent(other).length).toBeGreaterThanOrEqual(3));
    expect(system.sent(taskId)).toHaveLength(count);
    await system.answer({ sid, task_id: other });
  });

  it('fails with the error of the sensor, and is not sent again', async () => {
    const sid = randomUUID();
    await system.presence({ sid, sensor: facts() });
    const taskId = randomUUID();
    await system.command({ task_id: taskId, selector: `sid == "${sid}"` });
    await waitFor(() => expect(system.sent(taskId)).not.toEqual([]));
    await system.answer({ sid, task_id: taskId }, { ERROR: 5, ERROR_MESSAGE: 'access denied' });
    await waitFor(() => expect(system.eventsOf(taskId, 'TASK_FAILURE')).toHaveLength(1));
    expect(JSON.parse(system.eventsOf(taskId, 'TASK_FAILURE')[0]?.detail ?? '')).toMatchObject({
      error_code: '5',
      error: 'access denied',
    });
    expect(system.eventsOf(taskId, 'TASK_DONE')).toEqual([]);
  });

  it('is done when sent where nobody can answer', async () => {
    const sid = randomUUID();
    await system.presence({ sid, sensor: facts() });
    const taskId = randomUUID();
    await system.command({ task_id: taskId, task: 'restart', selector: `sid == "${sid}"` });
    await waitFor(() => expect(system.eventsOf(taskId, 'TASK_DONE', sid)).toHaveLength(1));
    expect(system.sent(taskId)).toHaveLength(1);
  });

  it('expires undelivered, exactly once, and leaves nothing pending', async () => {
    const sid = randomUUID();
    const taskId = randomUUID();
    await system.command({ task_id: taskId, selector: `sid == "${sid}"`, ttl: 1 });
    await waitFor(() => expect(system.eventsOf(taskId, 'TASK_EXPIRED')).toHaveLength(1));
    await system.presence({ sid, sensor: facts() });
    await waitFor(async () =>
      expect(
        (await system.client.request<{ total_sensors: number }>('task', { task: 'x', sid, ttl: 5 })).total_sensors,
      ).toBe(1),
    );
    expect(system.sent(taskId)).toEqual([]);
    expect(await system.redis.exists(`{${system.oid}}:t:${taskId}`)).toBe(0);
  });

  it('is not delivered after untask has answered', async () => {
    const sid = randomUUID();
    await system.presence({ sid, event: 'UPDATED', connection_id: '', sensor: facts() });
    const { task_id } = await system.client.request<{ task_id: string }>('task', { task: 'netstat', sid });
    await waitFor(async () =>
      expect(await system.client.request('untask', { task_id })).toEqual({ deleted: 1, tasks: 1 }),
    );
    const marker = await system.client.request<{ task_id: string }>('task', { task: 'os_version', sid });
    await system.presence({ sid });
    await waitFor(() => expect(system.sent(marker.task_id)).toHaveLength(1));
    expect(system.sent(task_id)).toEqual([]);
    expect(system.eventsOf(task_id, 'TASK_REMOVED')).toHaveLength(1);
  });

  it('can be withdrawn from some sensors alone', async () => {
    const [kept, withdrawn] = [randomUUID(), randomUUID()];
    const host = `narrow-${kept.slice(0, 8)}`;
    for (const sid of [kept, withdrawn])
      await system.presence({ sid, event: 'UPDATED', connection_id: '', sensor: facts({ hostname: host }) });
    await waitFor(async () => {
      const { total_sensors } = await system.client.request<{ total_sensors: number }>('task', {
        task: 'probe',
        selector: `hostname == "${host}"`,
        ttl: 1,
      });
      expect(total_sensors).toBe(2);
    });
    const { task_id } = await system.client.request<{ task_id: string }>('task', {
      task: 'netstat',
      selector: `hostname == "${host}"`,
    });
    expect(await system.client.request('untask', { task_id, sid: withdrawn })).toEqual({ deleted: 1, tasks: 0 });
    for (const sid of [kept, withdrawn]) await system.presence({ sid });
    await waitFor(() => expect(system.sent(task_id, kept)).toHaveLength(1));
    await waitFor(() => expect(system.eventsOf(task_id, 'TASK_REMOVED', withdrawn)).toHaveLength(1));
    expect(system.sent(task_id, withdrawn)).toEqual([]);
  });
});

describe('records that are not valid', () => {
  it('become dead letters with a code and the original bytes, and the partition goes on', async () => {
    const code = (key: string) =>
      system.seen.deadLetters.filter((r) => r.key?.toString() === key).map((r) => String(r.headers['rt-error-code']));
    const garbage = Buffer.from('garbage');
    const topics = [system.topics.commands, system.topics.presence, system.topics.sensorEvents];
    for (const topic of topics)
      await system.producer.send(topic, [{ key: `bad ${topic}`, value: garbage, headers: { own: 'kept' } }]);
    await system.command({ task_id: 'no-selector', selector: 'plat = windows' });
    await system.command({ task_id: 'unknown-org', oid: randomUUID() });
    await system.command({ task_id: 'too-early', issued_at: Date.now() + 600_000 });
    await system.command({ task_id: 'in-seconds', issued_at: Math.floor(Date.now() / 1_000) });
    await system.command({ task_id: 'once', task: 'a' });
    await system.command({ task_id: 'once', task: 'b' });
    await waitFor(() => {
      for (const topic of topics) expect(code(`bad ${topic}`), topic).toEqual(['record_undecodable']);
      expect(code('no-selector')).toEqual(['selector_syntax']);
      expect(code('unknown-org')).toEqual(['org_unknown']);
      expect(code('too-early')).toEqual(['issued_in_future']);
      expect(code('in-seconds')).toEqual(['issued_at_invalid']);
      expect(code('once')).toEqual(['task_id_conflict']);
    });
    const deadLetter = system.seen.deadLetters.find((r) => r.key?.toString() === `bad ${system.topics.commands}`);
    expect(deadLetter?.value).toEqual(garbage);
    expect(String(deadLetter?.headers.own)).toBe('kept');
    expect(String(deadLetter?.headers['rt-source-topic'])).toBe(system.topics.commands);
  });
});
