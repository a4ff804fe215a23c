/** A Kafka that cannot be reached: a command, and a server that starts, say so within three seconds. */
import { createServer, type Server } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { isAway } from '../../../src/edges/away.ts';
import { askKafka } from '../../../src/edges/kafka/admin.ts';
import { freePort } from '../../../src/stack/ports.ts';

/** Takes connections, and never says a word. */
let silent: Server;
let silentPort = 0;

beforeAll(async () => {
  silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentPort = (silent.address() as { port: number }).port;
});
afterAll(() => {
  silent.close();
});

const ask = (...brokers: string[]) => {
  const config = readConfig({ KAFKA_BROKERS: brokers.join(','), REDIS_URL: 'redis://unused' });
  return askKafka(config, pino({ level: 'silent' }));
};

describe('a Kafka that cannot be reached', () => {
  it.each([
    ['that refuses', async () => `127.0.0.1:${await freePort()}`, /ECONNREFUSED/],
    ['that does not answer', async () => `127.0.0.1:${silentPort}`, /does not answer/],
    ['with a name that is none', async () => 'kafka.invalid:9092', /ENOTFOUND|EAI_AGAIN|does not answer/],
  ])('%s is told within three seconds', async (_, broker, sentence) => {
    const startedMono = performance.now();
    const error = await ask(await broker()).catch((thrown: unknown) => thrown);
    expect(performance.now() - startedMono).toBeLessThan(3_000);
    expect(String(error)).toMatch(sentence);
    expect(isAway(error)).toBe(true);
  });

  it('is reported with all brokers that were asked, if one of them is silent', async () => {
    const brokers = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${silentPort}`];
    await expect(ask(...brokers)).rejects.toThrow(`Kafka does not answer at ${brokers.join(',')}.`);
  });
});
