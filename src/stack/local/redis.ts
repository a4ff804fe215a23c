// Redis as a local process: the machine's redis-server or valkey-server, else the binary that a jar on Maven Central carries.
// With `persist` it keeps an append-only file and comes back with its data; without, it keeps nothing and costs no disk.

import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { onSomePort } from '../ports.ts';
import { redisOfProcess } from '../probe.ts';
import { cached, fetchUnpacked } from './downloads.ts';
import { type LocalServer, type LocalServerOptions, startListening } from './server.ts';

const EMBEDDED = 'com.github.codemonstur:embedded-redis:1.4.3';
const READY_WITHIN_MS = 30_000;

/** True for Redis 6.2 or newer, and for every Valkey; `text` is what `--version` prints. */
export function isNewEnough(text: string): boolean {
  if (/valkey/i.test(text)) return true;
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(text) ?? [];
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 2);
}

/** Which of the jar's files runs on this machine; undefined when none does. */
export function embeddedBinary(files: readonly string[], os: string, cpu: string): string | undefined {
  const name = { x64: 'amd64', arm64: 'arm64', ia32: '386' }[cpu];
  if (name === undefined || (os !== 'linux' && os !== 'darwin')) return undefined;
  return files.find((file) => file.startsWith('redis-server-') && file.endsWith(`-${os}-${name}`));
}

async function fromPath(): Promise<string | undefined> {
  for (const command of ['redis-server', 'valkey-server']) {
    try {
      const { stdout } = await execa(command, ['--version'], { timeout: 10_000 });
      if (isNewEnough(stdout)) return command;
    } catch {
      // not installed: the next one
    }
  }
  return undefined;
}

const INSTALL_HINT =
  'Redis 6.2 or newer is needed: install redis-server or valkey-server (Debian: apt install redis-server, macOS: brew install redis).';

async function fromJar(log: (line: string) => void): Promise<string> {
  const folder = await cached('redis-embedded-1.4.3', async (part) => {
    log('Fetching a Redis binary from Maven Central (once, 20 MB), as no redis-server or valkey-server is installed');
    try {
      await fetchUnpacked(EMBEDDED, part, 'Redis', 'redis-server-*');
    } catch (error) {
      throw new Error(`${INSTALL_HINT} (${error instanceof Error ? error.message : error})`);
    }
    for (const file of readdirSync(part)) chmodSync(join(part, file), 0o755);
  });
  const binary = embeddedBinary(readdirSync(folder), platform(), arch());
  if (binary === undefined) throw new Error(INSTALL_HINT);
  return join(folder, binary);
}

/** The program that would be run; fetched when the machine has none. */
export async function redisProgram(log: (line: string) => void = () => {}): Promise<string> {
  return (await fromPath()) ?? (await fromJar(log));
}

/** The arguments of redis-server. Data that matters is in Kafka, so a second of Redis's may be lost in a crash. */
export function redisArguments({ port, dir, persist }: { port: number; dir: string; persist: boolean }): string[] {
  const listen = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no'];
  const keep = persist ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : ['--appendonly', 'no'];
  return [...listen, '--save', '', ...keep, '--maxmemory-policy', 'noeviction'];
}

/** Starts Redis on `dir` (made when it is not there) and resolves when it answers and has its data. */
export async function startLocalRedis(options: LocalServerOptions & { persist?: boolean }): Promise<LocalServer> {
  const { dir, persist = false } = options;
  const command = await redisProgram(options.log);
  mkdirSync(dir, { recursive: true });
  return onSomePort(options.port, (port) =>
    startListening(options, port, {
      name: 'Redis',
      command,
      args: redisArguments({ port, dir, persist }),
      outFile: join(dir, 'redis.log'),
      answers: (pid) => redisOfProcess(port, pid),
      deadlineMs: READY_WITHIN_MS,
    }),
  );
}
