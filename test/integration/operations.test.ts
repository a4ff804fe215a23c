/** What an operator does while the system runs: dead letters and their way back, Redis held against the log, a rebuild. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { askKafka } from '../../src/edges/kafka/admin.ts';
import { run } from '../cli/fixtures.ts';
import { System, soon } from './support/system.ts';

const system = new System();
const rt = async (...args: string[]) => {
  const { exitCode, out, err } = await run(args, { env: system.env, nowMs: Date.now });
  return {
    exitCode,
    err,
    out,
    json: args.includes('--json') && args[0] !== 'rebuild' && out ? JSON.parse(out) : undefined,
  };
};

beforeAll(() => system.start(['api', 'projector', 'joiner', 'responder']));
afterAll(() => system.stop());

describe('dead letters', () => {
  const [late, poison, other] = [randomUUID(), randomUUID(), randomUUID()];
  let org = '';
  let deadLetters: { letter: string; key: string; code: string }[] = [];
  const idOf = (key: string) => deadLetters.find((deadLetter) => deadLetter.key === key)?.letter as string;

  beforeAll(async () => {
    org = randomUUID();
    await system.command({ task_id: late, oid: org });
    await system.producer.send(system.topics.commands, [
      { key: poison, value: Buffer.from('no record'), headers: { trace: 'mine' } },
    ]);
    await system.command({ task_id: other, ttl: -5 });
    await vi.waitFor(() => expect(system.seen.deadLetters).toHaveLength(3), soon);
  });

  it('are listed, newest last, and narrowed', async () => {
    const { exitCode, json } = await rt('dead-letter', 'list', '--json');
    deadLetters = json.letters;
    expect({ exitCode, total: json.total }).toEqual({ exitCode: 0, total: 3 });
    expect(new Set(deadLetters.map(({ key, code }) => `${key} ${code}`))).toEqual(
      new Set([`${late} org_unknown`, `${poison} record_undecodable`, `${other} ttl_invalid`]),
    );
    const narrowed = await rt(
      'dead-letter',
      'list',
      '--code',
      'ttl_invalid',
      '--since',
      '1h',
      '--topic',
      'task-commands',
    );
    expect(narrowed.out).toContain(other);
    expect(narrowed.out).not.toContain(poison);
  });

  it('are shown whole: the record where it can be read, else its bytes', async () => {
    expect((await rt('dead-letter', 'show', idOf(late))).out).toContain('"task": "os_version"');
    const shown = await rt('dead-letter', 'show', idOf(poison));
    expect(shown.out).toContain('6e 6f 20 72 65 63 6f 72 64');
    expect(shown.out).toContain('trace: mine');
    expect((await rt('dead-letter', 'show', '0:99999')).exitCode).toBe(3);
  });

  it('go back only when that is said, once, and count from then on, also after a rebuild', async () => {
    await system.subscribe(org);
    const planned = await rt('dead-letter', 'redrive', idOf(late));
    expect(planned).toMatchObject({ exitCode: 0, err: expect.stringContaining('Nothing was written') });
    expect((await rt('dead-letter', 'redrive', idOf(late), '--yes')).exitCode).toBe(0);
    await vi.waitFor(() => expect(system.eventsOf(late, 'ADD_TASK')).toHaveLength(1), soon);
    expect(await rt('dead-letter', 'redrive', idOf(late), '--yes')).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('already_redriven'),
    });
    expect((await rt('dead-letter', 'redrive', '--code', 'org_unknown', '--yes', '--json')).json).toMatchObject({
      redriven: 0,
      redriven_before: [idOf(late)],
    });
    await system.redis.flushall();
    const pending = () => system.redis.zscore(`{${org}}:ix`, late);
    await vi.waitFor(async () => expect(await pending()).not.toBeNull(), soon);
    expect(await system.redis.exists(`{${system.oid}}:p:${other}`)).toBe(0);
  });

  it('go back once, though two redrive them at the same time', async () => {
    const both = await Promise.all([1, 2].map(() => rt('dead-letter', 'redrive', '--code', 'ttl_invalid', '--yes')));
    const [ended, done] = both.toSorted((a, b) => b.exitCode - a.exitCode);
    expect(done?.exitCode).toBe(0);
    if (ended?.exitCode !== 0) expect(ended?.err).toContain('redrive_overtaken');
    const from = async () =>
      (await rt('dead-letter', 'list', '--code', 'ttl_invalid', '--json')).json.letters.map(
        (deadLetter: { redriven_from: string | null }) => deadLetter.redriven_from,
      );
    await vi.waitFor(async () => expect(await from()).toContain(idOf(other)), soon);
    // The other run may have written later records. Once a still later one is read, all of them are.
    const last = randomUUID();
    await system.command({ task_id: last, oid: org, ttl: -1 });
    await vi.waitFor(async () => {
      const { json } = await rt('dead-letter', 'list', '--code', 'ttl_invalid', '--json');
      expect(json.letters.map(({ key }: { key: string }) => key)).toContain(last);
    }, soon);
    expect((await from()).filter((id: string | null) => id === idOf(other))).toHaveLength(1);
  });

  it('come back as new dead letters when nothing has changed', async () => {
    expect((await rt('dead-letter', 'redrive', idOf(poison), '--yes')).exitCode).toBe(0);
    const again = await vi.waitFor(async () => {
      const { json } = await rt('dead-letter', 'list', '--code', 'record_undecodable', '--json');
      expect(json.letters).toHaveLength(2);
      return json.letters[1];
    }, soon);
    expect(again).toMatchObject({ key: poison, redriven_from: idOf(poison) });
    expect((await rt('dead-letter', 'show', again.letter)).out).toContain('trace: mine');
  });
});

describe('verify and rebuild', () => {
  const sids = Array.from({ length: 6 }, () => randomUUID());
  const tasks = Array.from({ length: 8 }, () => randomUUID());
  const verify = async (settle = '10') =>
    (await rt('verify', '--json', '--settle', settle)).json as { compared: object; differences: { key: string }[] };

  it('finds Redis as the log says, while commands, presence and answers go on', async () => {
    for (const sid of sids) await system.presence({ sid });
    for (const [i, task_id] of tasks.entries())
      await system.command({ task_id, ttl: i === 0 ? 1 : 3_600, issued_at: Date.now() });
    await vi.waitFor(() => expect(system.sent(tasks[1] as string)).toHaveLength(sids.length), soon);
    await system.answer({ sid: sids[0] as string, task_id: tasks[1] as string });
    await system.answer({ sid: sids[1] as string, task_id: tasks[1] as string }, { ERROR: 7 });
    await system.command({ action: 'UNTASK', task_id: tasks[2] as string });
    await system.command({ action: 'UNTASK', task_id: tasks[3] as string, untask_selector: `sid == "${sids[2]}"` });
    let running = true;
    const queued: string[] = [];
    const traffic = (async () => {
      while (running) {
        const task_id = randomUUID();
        queued.push(task_id);
        await system.command({ task_id, selector: `sid == "${sids[3]}"` });
        await system.presence({ sid: sids[4] as string });
      }
    })();
    const { compared, differences } = await verify();
    running = false;
    await traffic;
    expect(differences).toEqual([]);
    expect(compared).toMatchObject({ tasks: expect.any(Number), sensors: sids.length, connections: sids.length });
    expect(Math.min(...Object.values(compared))).toBeGreaterThan(0);
    // The next test moves the position of a partition: what is not projected by then would be skipped for good.
    await vi.waitFor(() => {
      for (const task_id of queued) expect(system.sent(task_id)).toHaveLength(1);
    }, soon);
  });

  it('looks at every kind of key that the log determines', async () => {
    const { redis, oid } = system;
    const [one, two, ended] = [tasks[5], tasks[6], tasks[2]] as [string, string, string];
    const key = (name: string) => `{${oid}}:${name}`;
    const partitionOf = async (sid: string) => {
      for (let partition = 0; ; partition += 1) if (await redis.hexists(key(`o:${partition}`), sid)) return partition;
    };
    const [left, stranger] = [sids[0] as string, randomUUID()];
    const of = await partitionOf(left);
    const minutes = (await redis.keys(key('sm:*'))).map((name) => name.slice(key('').length));
    const [answered] = await redis.hkeys(key(`rs:${tasks[1]}`));
    const minute = minutes.sort().at(-1) as string;
    const changes: [string, () => Promise<unknown>][] = [
      [`t:${one}`, () => redis.del(key(`t:${one}`))],
      [`t:${stranger}`, () => redis.set(key(`t:${stranger}`), 'left over')],
      [`t:${two}`, async () => redis.set(key(`t:${two}`), (await redis.getBuffer(key(`t:${tasks[7]}`))) as Buffer)],
      ['ix', () => redis.zincrby(key('ix'), 1, one)],
      ['ie', () => redis.zincrby(key('ie'), 1, ended)],
      [`log ${two}`, () => redis.rpush(key('log'), `-${two}`)],
      [`o:${of} ${left}`, () => redis.hdel(key(`o:${of}`), left)],
      [`o:${of} ${stranger}`, () => redis.hset(key(`o:${of}`), stranger, '1 0 5 c')],
      [`rs:${tasks[1]} ${answered}`, () => redis.hdel(key(`rs:${tasks[1]}`), answered as string)],
      [`rs:${one} ${left} e`, () => redis.hset(key(`rs:${one}`), `${left} e`, `${of} 9999999 5 5 RECEIPT`)],
      [`rs:${stranger}`, () => redis.hset(key(`rs:${stranger}`), `${left} e`, `${of} 0 5 5 RECEIPT`)],
      [`${minute} q`, () => redis.hincrby(key(minute), 'q', 1_000)],
      ['m c:0', () => redis.hset(key('m'), 'c:0', 9_999_999)],
    ];
    for (const [, change] of changes) await change();
    const { differences } = await verify('1');
    const named = new Set(differences.map((one) => one.key));
    expect(
      [...named]
        .filter((name) => name.startsWith(key('')))
        .map((name) => name.slice(key('').length))
        .sort(),
    ).toEqual(changes.map(([name]) => name).sort());
    await redis.del(key(`t:${stranger}`), key(`rs:${stranger}`));
    expect((await rt('rebuild', '--yes', '--watch')).exitCode).toBe(0);
    await vi.waitFor(async () => expect((await verify()).differences).toEqual([]), soon);
  }, 90_000);

  it('names what was changed by hand, and a rebuild mends it', async () => {
    const [lost, changed] = [tasks[4] as string, tasks[1] as string];
    const marker = `{${system.oid}}`;
    await system.redis.del(`${marker}:p:${lost}`);
    await system.redis.hset(`${marker}:p:${changed}`, sids[5] as string, 'd 1 5 0 -');
    const { exitCode, json } = await rt('verify', '--json', '--settle', '1');
    expect(exitCode).toBe(1);
    const keys = (json.differences as { key: string }[]).map(({ key }) => key);
    expect(keys).toContain(`${marker}:p:${lost}`);
    expect(keys).toContain(`${marker}:p:${changed} ${sids[5]}`);
    expect(keys).toHaveLength(2);
    expect((await rt('rebuild')).exitCode).toBe(2);
    const watched = await rt('rebuild', '--yes', '--watch', '--json');
    const lines = watched.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ type: 'forgotten' });
    expect(lines.at(-1)).toMatchObject({ type: 'progress', usable: 2, orgs: 2 });
    await vi.waitFor(async () => expect((await verify()).differences).toEqual([]), soon);
  });
});

describe('an operator command', () => {
  it('works though brokers that stand first take connections and never answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const brokers = [...new Array(4).fill(`127.0.0.1:${port}`), system.env.KAFKA_BROKERS].join(',');
    try {
      await askKafka(readConfig({ ...system.env, KAFKA_BROKERS: brokers }), pino({ level: 'silent' }));
    } finally {
      silent.close();
    }
  });
});

describe('the doctor', () => {
  it('finds nothing wrong with a system that runs, and says what to do about one that does not', async () => {
    const { exitCode, json } = await rt('doctor', '--json');
    const levels = new Map(
      (json.findings as { area: string; level: string }[]).map(({ area, level }) => [area, level]),
    );
    expect(exitCode).toBe(0);
    expect(levels.get('topics')).toBe('ok');
    const groups = (json.findings as { area: string; level: string; finding: string }[])
      .filter(({ area }) => area === 'groups')
      .map(({ level, finding }) => [finding.replace(/:.*/, ''), level]);
    expect(groups.slice(0, 3)).toEqual([
      ['projector', 'ok'],
      ['inspector', 'ok'],
      ['joiner', 'ok'],
    ]);
    expect(groups.slice(3).map(([name]) => name)).toEqual(['responder', 'outputs', 'responses']);
    expect(levels.get('projection')).toBe('ok');
    const deadLetters = (json.findings as { area: string }[]).find(({ area }) => area === 'dead letters');
    expect(deadLetters).toMatchObject({
      level: 'warn',
      finding: '6 in the last 24 h: ttl_invalid 3, record_undecodable 2, org_unknown 1',
      advice: expect.stringContaining('rt dead-letter list --since 24h'),
      counts: { ttl_invalid: 3, record_undecodable: 2, org_unknown: 1 },
    });
    const away = await run(['doctor', '--json'], { env: { ...system.env, REDIS_URL: 'redis://127.0.0.1:1' } });
    expect(away.exitCode).toBe(1);
    expect(JSON.parse(away.out).findings).toContainEqual(expect.objectContaining({ area: 'redis', level: 'fail' }));
    expect((await run(['doctor'], { env: { KAFKA_BROKERS: 'b:1', TOPIC_PARTITIONS: '0' } })).exitCode).toBe(1);
  });
});
