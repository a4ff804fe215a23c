/** Outputs on their way to webhooks and files: tried again, given up, and never further than they may go. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createSinks } from '../../src/edges/http/sinks.ts';
import type { OutputRecord } from '../../src/model/records.ts';
import type { Batch, GroupOptions } from '../../src/ports.ts';
import { type DeliveryPorts, type OutputSinks, startDelivery } from '../../src/respond/deliver.ts';
import { OID } from '../command/orgs.ts';
import { SettingLog } from '../orgs/memory-settings.ts';

const record = (output: string, event_id: string): OutputRecord => ({
  oid: OID,
  output,
  event_id,
  occurred_at: 1,
  body: `{"id":"${event_id}"}`,
});

/** A delivery whose batches a test hands over; answers what was committed. */
async function delivery(sinks: OutputSinks, targets: Record<string, Record<string, unknown>>) {
  const settings = new SettingLog().process();
  for (const [name, value] of Object.entries(targets))
    await settings.write({ oid: OID, kind: 'OUTPUT', name, by: 't', value });
  let onBatch: GroupOptions['onBatch'] = async () => false;
  const committed: number[] = [];
  let nowMs = 0;
  const sleep = (ms: number): void => {
    nowMs += ms;
  };
  const clock = { nowMs: () => nowMs, monoMs: () => nowMs, delay: async (ms: number) => sleep(ms) };
  const ports = {
    ...{ settings, sinks, log: pino({ level: 'silent' }) },
    config: readConfig({
      KAFKA_BROKERS: 'x:1',
      REDIS_URL: 'redis://x',
      OUTPUT_DIR: '/out',
      OUTPUT_ALLOW_PRIVATE: 'true',
    }),
    clock,
    inbox: {
      join: async (options: GroupOptions) => {
        onBatch = options.onBatch;
        return {
          joined: () => true,
          commit: async (_t: string, _p: number, next: number) => void committed.push(next),
          stop: async () => {},
        };
      },
      decode: async (_name: string, records: unknown[]) => records.map((value) => ({ value })),
    },
  };
  await startDelivery(ports as unknown as DeliveryPorts);
  let next = 0;
  const hand = (...records: OutputRecord[]) => {
    next += records.length;
    return onBatch({ partition: 0, records, nextOffset: next, alive: () => true } as unknown as Batch);
  };
  return {
    hand,
    committed,
    sleep,
  };
}

describe('delivery', () => {
  const hook = { type: 'webhook', url: 'http://127.0.0.1:1/', headers: {} };

  it('tries a webhook again, then gives the event up, lets the output rest, and commits all the same', async () => {
    const tried: string[] = [];
    let works = false;
    const { hand, committed, sleep } = await delivery(
      {
        post: async (_url, _headers, _body, id) => {
          tried.push(id);
          if (!works) throw new Error('away');
        },
        append: async () => {},
      },
      { hook },
    );
    await hand(record('hook', 'a'));
    expect(tried).toEqual(['a', 'a', 'a', 'a']);
    works = true;
    await hand(record('hook', 'b'));
    expect(tried).toHaveLength(4);
    sleep(30_001);
    await hand(record('hook', 'c'), record('hook', 'd'));
    expect(tried.slice(4).toSorted()).toEqual(['c', 'd']);
    expect(committed).toEqual([1, 2, 4]);
  });

  it('writes the events of a batch to a file in their order, and leaves alone what is not configured', async () => {
    const written: string[] = [];
    const { hand } = await delivery(
      { post: async () => {}, append: async (oid, path, lines) => void written.push(oid, path, lines) },
      { file: { type: 'file', path: 'a/b.jsonl' }, odd: { type: 'carrier pigeon' } },
    );
    await hand(record('file', '1'), record('none', '2'), record('odd', '3'), record('file', '4'));
    expect(written).toEqual([OID, 'a/b.jsonl', '{"id":"1"}\n{"id":"4"}\n']);
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

  it('posts JSON with the event id; an answer that is not 2xx is a failure, a redirect too', async () => {
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
    await expect(post(`http://127.0.0.1:${other.port}/`, {}, '{}', 'e')).rejects.toThrow('302');
  });

  it('refuses a name that resolves to a private address', async () => {
    const { got, port } = await serve(200);
    const { post } = createSinks({ outputDir: '', allowPrivate: false });
    await expect(post(`http://localhost:${port}/`, {}, '{}', 'e')).rejects.toThrow('no public address');
    await expect(post(`http://127.0.0.1:${port}/`, {}, '{}', 'e')).rejects.toThrow('no public address');
    expect(got).toEqual([]);
  });

  it('appends to a file in the folder of the org, and follows no link out of it', async () => {
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
