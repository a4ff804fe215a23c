// Ports on 127.0.0.1. A port that is free now may be taken a moment later, so a server without a fixed port tries again with
// another one.

import { createServer } from 'node:net';
import getPort from 'get-port';
import { StackSettingError } from './errors.ts';

/** True when nothing listens on this port of 127.0.0.1. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A port that the system says is free, and that no other caller in this process has got in the last seconds. */
export const freePort = (): Promise<number> => getPort({ host: '127.0.0.1' });

/** The first of `preferred` that is free, else any free one. Not by get-port, which refuses a port that this process has just released. */
export async function firstFree(preferred: readonly (number | undefined)[]): Promise<number> {
  for (const port of preferred) {
    if (port !== undefined && (await isFree(port))) return port;
  }
  return freePort();
}

/** Reads a port from an environment variable; undefined when it is not set. Throws a line that names a bad one. */
export function portFrom(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new StackSettingError(`${name}=${text}: a port from 1 to 65535`);
  return port;
}

/** The port that the environment chose (an error when it is taken), else the remembered one, the usual one, or any. */
export async function choosePort(
  chosen: number | undefined,
  name: string,
  preferred: (number | undefined)[],
): Promise<number> {
  if (chosen === undefined) return firstFree(preferred);
  if (!(await isFree(chosen))) {
    throw new StackSettingError(
      `${name} ${chosen} is in use on 127.0.0.1: end the process that listens there, or set ${name} to a free port.`,
    );
  }
  return chosen;
}

/** Starts on `wanted`, or on free ports, up to three, until one is not taken by somebody else in between. */
export async function onSomePort<T>(wanted: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  if (wanted !== undefined) return start(wanted);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = /address already in use/i.test(String(error));
      if (!taken || attempt === 3) throw error;
    }
  }
}
