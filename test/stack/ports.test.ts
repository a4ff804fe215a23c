import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { choosePort, firstFree, isFree, onSomePort, portFrom } from '../../src/stack/ports.ts';

let server: Server;
let taken: number;
beforeAll(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  taken = (server.address() as { port: number }).port;
});
afterAll(() => void server.close());

describe('a port by name', () => {
  test('is read', () => {
    expect(portFrom({ KAFKA_PORT: '19092' }, 'KAFKA_PORT')).toBe(19092);
    expect(portFrom({ KAFKA_PORT: '' }, 'KAFKA_PORT')).toBeUndefined();
    expect(portFrom({}, 'KAFKA_PORT')).toBeUndefined();
  });
  test.each(['0', '65536', '80x', '-1', '1.5'])('%s is refused', (text) => {
    expect(() => portFrom({ KAFKA_PORT: text }, 'KAFKA_PORT')).toThrow(`KAFKA_PORT=${text}`);
  });
});

test('a port that is taken is passed over', async () => {
  expect(await isFree(taken)).toBe(false);
  const port = await firstFree([undefined, taken]);
  expect(port).not.toBe(taken);
  expect(await isFree(port)).toBe(true);
  expect(await firstFree([port, taken])).toBe(port);
});

test('a port that somebody chose is taken or refused, never replaced', async () => {
  await expect(choosePort(taken, 'REDIS_PORT', [])).rejects.toThrow(
    `REDIS_PORT ${taken} is in use on 127.0.0.1: end the process that listens there, or set REDIS_PORT to a free port.`,
  );
  const free = await firstFree([]);
  expect(await choosePort(free, 'REDIS_PORT', [taken])).toBe(free);
});

describe('starting on some port', () => {
  const inUse = new Error('bind: Address already in use');
  test('tries another one when somebody was faster', async () => {
    const tried: number[] = [];
    const port = await onSomePort(undefined, async (candidate) => {
      tried.push(candidate);
      if (tried.length < 3) throw inUse;
      return candidate;
    });
    expect(tried).toHaveLength(3);
    expect(port).toBe(tried[2]);
  });
  test('gives up after three, and at once on another failure or on a port that was asked for', async () => {
    let calls = 0;
    const failing = (error: Error) => async () => {
      calls++;
      throw error;
    };
    await expect(onSomePort(undefined, failing(inUse))).rejects.toThrow(inUse);
    expect(calls).toBe(3);
    await expect(onSomePort(undefined, failing(new Error('no disk')))).rejects.toThrow('no disk');
    await expect(onSomePort(1234, failing(inUse))).rejects.toThrow(inUse);
    expect(calls).toBe(5);
  });
});
