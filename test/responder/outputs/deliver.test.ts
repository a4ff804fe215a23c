/** Outputs on their way to webhooks and files: tried again, given up, and never further than they may go. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { clockOf } from '../../../src/async/clock.ts';
import { readConfig } from '../../../src/config.ts';
import { createSinks } from '../../../src/edges/http/sinks.ts';
import type { OutputRecord } from '../../../src/model/records.ts';
import type { Batch, DeadLetter, GroupOptions } from '../../../src/ports.ts';
import { type DeliveryPorts, type OutputSinks, startDelivery } from '../../../src/responder/outputs/deliver.ts';
import { OutputFault } from '../../../src/responder/outputs/fault.ts';
import { OID } from '../../command/orgs.ts';
import { SettingLog } from '../../orgs/memory-settings.ts';

const UNREADABLE = 'unreadable';
const OTHER = 'ffffffff-0000-4000-8000-000000000001';
const record = (output: string, event_id: string, rest: Partial<OutputRecord> = {}): OutputRecord => ({
  oid: OID,
  output,
  event_id,
  occurred_at: 1,
  body: `{"id":"${event_id}"}`,
  ...rest,
});

/** A clock that the test moves. Work that is due runs, and what follows from it settles. */
class ManualTime {
  now = 0;
  #due: { atMs: number; work: () => void }[] = [];
  readonly clock = clockOf({
    nowMs: () => this.now,
    monoMs: () => this.now,
    after: (ms, work) => {
      const one = { atMs: this.now + ms, work };
      this.#due.push(one);
      return () => {
        this.#due = this.#due.filter((other) => other !== one);
      };
    },
    random: () => 1,
  });

  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settled();
      const [next] = this.#due.toSorted((a, b) => a.atMs - b.atMs);
      if (!next || next.atMs > end) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.now = Math.max(this.now, next.atMs);
      next.work();
    }
    this.now = end;
  }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

type WrittenDeadLetter = { id: string; code: string; message: string };

/** A delivery that gets its batches from the test: its commits, dead letters and noted failures. */
async function delivery(sinks: Partial<OutputSinks>, targets: Record<string, Record<string, unknown>>) {
  const settings = new SettingLog().process();
  for (const oid of [OID, OTHER])
    for (const [name, value] of Object.entries(targets))
      await settings.write({ oid, kind: 'OUTPUT', name, by: 't', value });
  let joined: GroupOptions | undefined;
  const time = new ManualTime();
  const committed: number[] = [];
  const deadLetters: WrittenDeadLetter[] = [];
  /** The topic takes dead letters once this has resolved. */
  const deadLetterTopic: { open: Promise<void> } = { open: Promise.resolve() };
  const failures = new Map<string, { reason: string; undelivered: number }>();
  const ports = {
    settings,
    log: pino({ level: 'silent' }),
    clock: time.clock,
    sinks: { post: async () => {}, append: async () => {}, ...sinks },
    config: readConfig({
      KAFKA_BROKERS: 'x:1',
      REDIS_URL: 'redis://x',
      OUTPUT_DIR: '/out',
      OUTPUT_ALLOW_PRIVATE: 'true',
    }),
    metrics: { deadLettered: () => {}, batchLatency: () => {} },
    outbox: {
      deadLetters: async (some: DeadLetter[]) => {
        await deadLetterTopic.open;
        deadLetters.push(...some.map(({ record: { key }, code, message }) => ({ id: String(key), code, message })));
      },
    },
    outputMemory: {
      noteFailures: async (notes: { oid: string; output: string; reason: string; undelivered: number }[]) => {
        for (const { oid, output, reason, undelivered } of notes) {
          const before = failures.get(`${oid}/${output}`)?.undelivered ?? 0;
          failures.set(`${oid}/${output}`, { reason, undelivered: before + undelivered });
        }
      },
    },
    inbox: {
      join: async (options: GroupOptions) => {
        joined = options;
        return {
          joined: () => true,
          commit: async (_t: string, _p: number, next: number) => void committed.push(next),
          stop: async () => {},
        };
      },
      decode: async (_name: string, records: { value: OutputRecord }[]) =>
        records.map((one) =>
          one.value.output === UNREADABLE
            ? { record: one, refusal: { code: 'record_undecodable', message: 'It cannot be read.' } }
            : { record: one, value: one.value },
        ),
    },
  };
  const role = await startDelivery(ports as unknown as DeliveryPorts);
  let next = 0;
  const hand = async (...records: OutputRecord[]) => {
    const batch = records.map((value) => {
      next += 1;
      return { offset: next - 1, key: value.event_id, value: Object.assign(value, { length: value.body.length }) };
    });
    return joined?.onBatch({ partition: 0, records: batch, nextOffset: next, alive: () => true } as unknown as Batch);
  };
  const rejoin = (from: number) => {
    next = from;
    joined?.onAssigned([0]);
  };
  return { hand, rejoin, committed, deadLetters, deadLetterTopic, failures, time, stop: () => role.stop() };
}

describe('delivery', () => {
  const hook = { type: 'webhook', url: 'http://127.0.0.1:1/', headers: {} };
  const hang = () => new Promise<never>(() => {});
  const idsOf = (deadLetters: readonly WrittenDeadLetter[]) => deadLetters.map(({ id }) => id);

  it('an output that hangs delays no other output and no other org; nothing behind its events is committed', async () => {
    const got: string[] = [];
    const { hand, committed, time } = await delivery(
      { post: (_url, _headers, _body, id) => (id.startsWith('slow') ? hang() : Promise.resolve(void got.push(id))) },
      { slow: hook, fast: hook },
    );
    await hand(record('fast', 'a'));
    const many = Array.from({ length: 100 }, (_, n) => record('slow', `slow ${n}`));
    expect(await hand(...many, record('fast', 'b'), record('fast', 'c', { oid: OTHER }))).toBe(true);
    expect(await hand(record('slow', 'd', { oid: OTHER }))).toBe(true);
    await time.pass(1_000);
    expect(got).toEqual(['a', 'b', 'c', 'd']);
    expect(Math.max(...committed)).toBe(1);
  });

  it('tries again after growing delays, and then sends later events in their order', async () => {
    const tried: string[] = [];
    let works = false;
    const { hand, committed, failures, deadLetters, time } = await delivery(
      {
        post: async (_url, _headers, _body, id) => {
          tried.push(id);
          if (!works) throw new Error('away');
        },
      },
      { hook },
    );
    await hand(record('hook', 'a'));
    await time.pass(1_000);
    await hand(record('hook', 'b'), record('hook', 'c'));
    expect(tried).toEqual(['a', 'a', 'a']);
    works = true;
    await time.pass(2_000);
    expect(tried.slice(3)).toEqual(['a', 'b', 'c']);
    expect(committed.at(-1)).toBe(3);
    expect(failures.get(`${OID}/hook`)).toEqual({ reason: 'away', undelivered: 0 });
    expect(deadLetters).toEqual([]);
  });

  it('writes dead letters: at once for refused events, after some attempts for failed ones, later for those that waited', async () => {
    const tried: string[] = [];
    const { hand, committed, failures, deadLetters, time } = await delivery(
      {
        post: async (_url, _headers, _body, id) => {
          tried.push(id);
          if (id === 'refused') throw new OutputFault('The webhook answered 400.', { isFinal: true });
          throw new Error('away');
        },
      },
      { hook },
    );
    await hand(record('hook', 'refused'));
    await time.pass(600);
    expect(deadLetters).toEqual([{ id: 'refused', code: 'output_undelivered', message: 'The webhook answered 400.' }]);
    const waiting = Array.from({ length: 20 }, (_, n) => record('hook', `${n}`));
    await hand(...waiting);
    await time.pass(30_000);
    expect(deadLetters[1]).toMatchObject({ id: '0', message: 'away It was tried 8 times.' });
    await time.pass(100_000);
    expect(idsOf(deadLetters).toSorted()).toEqual(['refused', ...waiting.map(({ event_id }) => event_id)].toSorted());
    expect(deadLetters.at(-1)?.message).toBe('It waited too long for the output.');
    expect(committed.at(-1)).toBe(21);
    expect(failures.get(`${OID}/hook`)?.undelivered).toBe(21);
    expect(tried.length).toBeLessThan(60);
  });

  it('queues a limited number of bytes for an output that hangs; the rest are dead letters, and other orgs continue', async () => {
    const got: string[] = [];
    const { hand, deadLetters, time } = await delivery(
      { post: (_url, _headers, _body, id) => (id === 'big' ? hang() : Promise.resolve(void got.push(id))) },
      { one: hook, two: hook },
    );
    const body = 'x'.repeat(4 * 1024 * 1024);
    for (let n = 0; n < 20; n += 1) await hand(record(n % 2 ? 'one' : 'two', 'big', { body }));
    expect(deadLetters.length).toBe(14);
    expect(deadLetters[0]?.code).toBe('output_undelivered');
    await hand(record('one', 'other', { oid: OTHER, body }));
    await time.pass(1_000);
    expect(got).toEqual(['other']);
  });

  it('commits nothing past a record whose dead letter is not written yet, and writes it once', async () => {
    const { hand, committed, deadLetters, deadLetterTopic, time } = await delivery({}, { hook });
    const topic = Promise.withResolvers<void>();
    deadLetterTopic.open = topic.promise;
    const handed = hand(record('hook', 'a'), record(UNREADABLE, 'b'), record('hook', 'c'));
    await time.pass(5_000);
    expect(committed.filter((next) => next > 1)).toEqual([]);
    topic.resolve();
    expect(await handed).toBe(true);
    await time.pass(1_000);
    expect([committed.at(-1), idsOf(deadLetters)]).toEqual([3, ['b']]);
  });

  it('does not send its queued events after another process took the partition', async () => {
    const tried: string[] = [];
    let works = false;
    const { hand, rejoin, committed, time } = await delivery(
      {
        post: async (_url, _headers, _body, id) => {
          tried.push(id);
          if (!works) throw new Error('away');
        },
      },
      { hook },
    );
    await hand(record('hook', 'a'), record('hook', 'b'));
    await time.pass(10);
    const before = tried.length;
    rejoin(0);
    works = true;
    await hand(record('hook', 'a'), record('hook', 'b'));
    await time.pass(1_000);
    expect(tried.slice(before)).toEqual(['a', 'b']);
    expect(committed.at(-1)).toBe(2);
  });

  it('stops at once, and commits no event that was not delivered', async () => {
    const { hand, stop, committed, deadLetters, time } = await delivery(
      {
        post: async (_url, _headers, _body, id) => {
          if (id === 'b') throw new Error('away');
        },
      },
      { hook, file: { type: 'file', path: 'x' } },
    );
    await hand(record('hook', 'a'), record('hook', 'b'), record('file', 'c'));
    await time.pass(10);
    const stopped = stop();
    await time.pass(0);
    await stopped;
    expect([committed.at(-1), deadLetters]).toEqual([1, []]);
  });

  it('writes the events of a batch to a file in their order, and passes over outputs that are not configured', async () => {
    const written: string[] = [];
    const { hand, committed, time } = await delivery(
      { append: async (oid, path, lines) => void written.push(oid, path, lines) },
      { file: { type: 'file', path: 'a/b.jsonl' }, odd: { type: 'carrier pigeon' } },
    );
    await hand(record('file', '1'), record('none', '2'), record('odd', '3'), record('file', '4'));
    await time.pass(1_000);
    expect(written.filter((_, n) => n % 3 === 2).join('')).toBe('{"id":"1"}\n{"id":"4"}\n');
    expect(written.slice(0, 2)).toEqual([OID, 'a/b.jsonl']);
    expect(committed.at(-1)).toBe(4);
  });
});

describe('sinks', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());
  const folder = mkdtempSync(join(tmpdir(), 'sinks-'));
  async function serve(status: number, headers: Record<string, string> = {}) {
    const got: unknown[] = [];
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      got.push({
        method: request.method,
        id: request.headers['x-event-id'],
        secret: request.headers['x-secret'],
        body,
      });
      response.writeHead(status, headers).end();
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return { got, port: (server.address() as AddressInfo).port };
  }

  it('posts JSON with the event id; any answer except 2xx is a failure, also a redirect', async () => {
    const { got, port } = await serve(204);
    const { post } = createSinks({ outputDir: '', allowPrivate: true });
    await post(`http://127.0.0.1:${port}/x`, { 'x-secret': 's' }, '{"a":1}', 'e1');
    await post(`http://127.0.0.1:${port}/x`, {}, '{}', 'ü'.repeat(100_000));
    expect(got).toEqual([
      { method: 'POST', id: 'e1', secret: 's', body: '{"a":1}' },
      { method: 'POST', id: '?'.repeat(256), body: '{}' },
    ]);
    server?.close();
    const other = await serve(302, { location: `http://127.0.0.1:${port}/` });
    await expect(post(`http://127.0.0.1:${other.port}/`, {}, '{}', 'e')).rejects.toMatchObject({
      message: 'The webhook answered 302.',
      isFinal: true,
    });
    server?.close();
    const busy = await serve(429);
    await expect(post(`http://127.0.0.1:${busy.port}/`, {}, '{}', 'e')).rejects.toMatchObject({ isFinal: false });
  });

  it('refuses a host name that resolves to a private address', async () => {
    const { got, port } = await serve(200);
    const { post } = createSinks({ outputDir: '', allowPrivate: false });
    await expect(post(`http://localhost:${port}/`, {}, '{}', 'e')).rejects.toThrow('no public address');
    await expect(post(`http://127.0.0.1:${port}/`, {}, '{}', 'e')).rejects.toThrow('no public address');
    expect(got).toEqual([]);
  });

  it('appends to a file in the folder of the org, and follows no link out of the folder', async () => {
    const { append } = createSinks({ outputDir: folder, allowPrivate: false });
    await append(OID, 'a/b.jsonl', '1\n');
    await append(OID, 'a/b.jsonl', '2\n');
    expect(readFileSync(join(folder, OID, 'a/b.jsonl'), 'utf8')).toBe('1\n2\n');
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, OID, 'link'));
    await expect(append(OID, 'link/x', '1\n')).rejects.toThrow('OUTPUT_DIR');
    expect(existsSync(join(folder, 'elsewhere/x'))).toBe(false);
    symlinkSync(join(folder, 'elsewhere/y'), join(folder, OID, 'file'));
    await expect(append(OID, 'file', '1\n')).rejects.toThrow('ELOOP');
    expect(existsSync(join(folder, 'elsewhere/y'))).toBe(false);
  });
});
