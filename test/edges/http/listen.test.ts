import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { listen } from '../../../src/edges/http/listen.ts';
import { createHttpServer } from '../../../src/edges/http/server.ts';
import { startServer } from '../../../src/server.ts';
import { run } from '../../cli/fixtures.ts';

const config = (env: Record<string, string>) =>
  readConfig({ KAFKA_BROKERS: '127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'silent', ...env });
const server = () =>
  createHttpServer(config({}), pino({ level: 'silent' }), { report: () => ({ ready: true, roles: {} }) });

it('answers where it listens', async () => {
  const http = server();
  try {
    expect(await listen(http, config({ HTTP_PORT: '0' }))).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  } finally {
    await http.close();
  }
});

it('the error for a port in use names the setting, from listen and from serve, with the exit code of a wrong setting', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const sentence = `HTTP_PORT ${port} is in use on 127.0.0.1: end the process that listens there, or set HTTP_PORT to a free port (0: any).`;
  const inUse = expect.objectContaining({ code: 'config_invalid', message: sentence });
  const env = { HTTP_PORT: String(port), JWT_SECRET: 'x'.repeat(32) };
  try {
    await expect(listen(server(), config(env))).rejects.toEqual(inUse);
    await expect(startServer(config(env), ['projector'], pino({ level: 'silent' }))).rejects.toEqual(inUse);
    const { exitCode, err } = await run(['serve'], {
      env: { KAFKA_BROKERS: '127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'silent', ...env },
    });
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: `config_invalid  ${sentence}\n` });
  } finally {
    other.close();
  }
});

it('the error for a host that is not an address of this machine names the setting', async () => {
  await expect(listen(server(), config({ HTTP_HOST: '192.0.2.1', HTTP_PORT: '0' }))).rejects.toThrow(
    /^HTTP_HOST 192\.0\.2\.1 is not an address of this machine: set HTTP_HOST to 127\.0\.0\.1, /,
  );
});
