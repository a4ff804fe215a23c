import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { painter } from '../../src/cli/io.ts';
import { makeCast } from '../../src/demo/cast.ts';
import { Story } from '../../src/demo/story.ts';
import { type DemoTask, demoTasks } from '../../src/demo/tasks.ts';
import type { Fleet } from '../../src/fleet/run.ts';

const cast = makeCast();
const identity = { oid: '7e41e07b-c44c-43a3-b78d-41f34204789d', apiKey: 'key', jwtSecret: 'secret' };

/** A system that does all it should, at once, and tells it on the stream before it answers. `deaf` sensors never acknowledge. */
async function startSystem({ deaf = new Set<string>() } = {}) {
  const online = new Set(cast.online.map(({ sid }) => sid));
  const pending = new Map<string, DemoTask>();
  const streams = new Set<ServerResponse>();
  const bodies: string[] = [];
  let isSubscribed = true;
  const subscribe = (wanted: boolean) => {
    isSubscribed = wanted;
    if (!wanted) for (const stream of streams) stream.end();
  };
  const tell = (type: string, taskId: string, sid?: string) => {
    const activity = { routing: { event_time: 0 }, event: { task_id: taskId, ...(sid ? { sid } : {}) } };
    for (const stream of streams) stream.write(`event: ${type}\ndata: ${JSON.stringify(activity)}\n\n`);
  };
  const deliver = (taskId: string, task: DemoTask) => {
    for (const sensor of cast.all) {
      if (!online.has(sensor.sid) || !task.matches(sensor)) continue;
      for (const type of ['try_task', 'task_sent']) tell(type, taskId, sensor.sid);
      if (!deaf.has(sensor.sid)) tell('task_done', taskId, sensor.sid);
    }
  };
  const actions: Record<string, (data: string) => object> = {
    task(data) {
      const task = demoTasks(cast).find((candidate) => candidate.data === data) ?? expect.fail(data);
      const taskId = `t${pending.size}`;
      pending.set(taskId, task);
      tell('add_task', taskId);
      deliver(taskId, task);
      return { task_id: taskId };
    },
    untask(data) {
      const { task_id } = JSON.parse(data) as { task_id: string };
      pending.delete(task_id);
      tell('task_removed', task_id);
      return { deleted: 3 };
    },
    list: () => ({ tasks: [...pending.keys()].map((task_id) => ({ task_id })) }),
  };
  const server = createServer(async (request, response) => {
    if (request.url?.includes('/events') && !isSubscribed) {
      response.writeHead(400);
      response.end(JSON.stringify({ error: 'The org is not subscribed.', error_code: 'not_subscribed' }));
      return;
    }
    if (request.url?.includes('/events')) {
      response.on('close', () => streams.delete(response));
      streams.add(response);
      response.write(': connected\n\n');
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    const [, action = '', data = ''] = /action=(\w+)&data=(.*)$/.exec(body) ?? [];
    const answer = request.url === '/' ? { jwt: 'token' } : { error: '', version: 1, data: actions[action]?.(data) };
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fleet = {
    connect: async (sid: string) => {
      online.add(sid);
      for (const [taskId, task] of pending)
        if (task.matches(sensorOf(sid)) && task.fate === 'pending') deliverTo(taskId, sid);
      for (const [taskId, { fate }] of pending) {
        if (fate === 'expires' && pending.delete(taskId)) tell('task_expired', taskId);
      }
    },
  } as unknown as Fleet;
  const sensorOf = (sid: string) => cast.all.find((sensor) => sensor.sid === sid) ?? expect.fail(sid);
  const deliverTo = (taskId: string, sid: string) => {
    tell('task_sent', taskId, sid);
    tell('task_done', taskId, sid);
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, server, fleet, bodies, subscribe, tell, streams };
}

const stopping = new AbortController();
let system: Awaited<ReturnType<typeof startSystem>> | undefined;
afterEach(() => {
  system?.server.closeAllConnections();
  system?.server.close();
});

async function tell(deadlineMs: number, deaf?: Set<string>) {
  system = await startSystem(deaf ? { deaf } : {});
  const lines: string[] = [];
  const story = new Story({
    url: system.url,
    identity,
    cast,
    fleet: system.fleet,
    paint: painter(false),
    print: (line) => lines.push(line),
    stopped: stopping.signal,
    deadline: AbortSignal.timeout(deadlineMs),
  });
  await story.tell();
  return { story, lines, bodies: system.bodies };
}

describe('the story of the demonstration', () => {
  it('sees all that it expects, and shows it by the names of tasks and sensors', async () => {
    const { story, lines, bodies } = await tell(20_000);
    expect(story.tally.rows().filter(({ expected, seen }) => expected !== seen)).toEqual([]);
    const acked = story.tally.rows().find(({ what }) => what === 'acknowledged');
    expect(lines.filter((line) => line.includes('acknowledged')).length).toBe(acked?.seen);
    expect(lines.some((line) => line.includes('expired') && line.includes('dir_list with a short ttl'))).toBe(true);
    expect(lines.some((line) => /\bt\d\b/.test(line))).toBe(false);
    expect(bodies).toContain(`oid=${identity.oid}&action=task&data={"task":"os_version","ttl":3600}`);
  });

  it('pauses its live lines while the org is not subscribed, and says so', async () => {
    const { lines } = await tell(20_000);
    const times = (part: string) => lines.filter((line) => line.includes(part)).length;
    system?.subscribe(false);
    await vi.waitFor(() => expect(times('is unsubscribed')).toBe(1), 10_000);
    system?.subscribe(true);
    await vi.waitFor(() => expect(times('subscribed again')).toBe(1), 10_000);
    system?.tell('task_removed', 'later');
    await vi.waitFor(() => expect(lines.at(-1)).toMatch(/removed .*later$/), 10_000);
    expect(times('live stream ended')).toBe(0);
    expect(times('is unsubscribed')).toBe(1);
  });

  it('ends at the deadline with what was not seen', async () => {
    const { story } = await tell(1_000, new Set(['sensor-123-abc']));
    expect(story.tally.complete('queued', 'delivered at once', 'untasked before delivery')).toBe(true);
    const acked = story.tally.rows().find(({ what }) => what === 'acknowledged');
    expect(acked?.seen).toBeLessThan(acked?.expected ?? 0);
  });
});
