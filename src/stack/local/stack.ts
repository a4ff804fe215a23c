// The stack as local processes. With `start`, one program at a time owns the folder, which keeps data and ports. Servers that a crash
// left running are ended before others start; a detached stack that runs there is used. With `test`, everything is in a
// temporary folder, which is removed at the end.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shortPath, stackDir } from '../paths.ts';
import { choosePort } from '../ports.ts';
import { kafkaAnswers, redisAnswers } from '../probe.ts';
import { endMarked, markOf } from '../process/pids.ts';
import type { SourceOptions, Stack, StackOptions } from '../source.ts';
import { changeState, readState, survivors, takeOwnership } from '../state.ts';
import { startLocalKafka } from './kafka.ts';
import { startLocalRedis } from './redis.ts';
import type { LocalServer } from './server.ts';

const LEFTOVER_GRACE_MS = 15_000;

/** Throws a sentence when a tool is missing or the folder is in use. */
export function runLocal(options: SourceOptions): Promise<Stack> {
  return options.purpose === 'test' ? runForTest(options) : runWithData(options);
}

function localStack(kafkaPort: number, redisPort: number, stop: () => Promise<void>): Stack {
  return {
    source: 'local',
    kafkaBrokers: [`127.0.0.1:${kafkaPort}`],
    redisUrl: `redis://127.0.0.1:${redisPort}`,
    stop,
  };
}

type Servers = { kafka: LocalServer; redis: LocalServer };

/** Starts both at once. If one fails, the other is stopped, and the error says what each of them lacks. */
async function startServers(kafka: Promise<LocalServer>, redis: Promise<LocalServer>): Promise<Servers> {
  const [k, r] = await Promise.allSettled([kafka, redis]);
  if (k.status === 'fulfilled' && r.status === 'fulfilled') return { kafka: k.value, redis: r.value };
  await Promise.all([k, r].map((result) => (result.status === 'fulfilled' ? result.value.stop() : undefined)));
  const reasons = [k, r].flatMap((result) => (result.status === 'rejected' ? [sentenceOf(result.reason)] : []));
  throw new Error(reasons.join('\n'));
}

const sentenceOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

async function stopServers({ kafka, redis }: Servers): Promise<void> {
  await Promise.all([kafka.stop(), redis.stop()]);
}

/** Logs a server that ends although nobody stopped it. The returned function ends the watch. */
function reportSuddenEnd({ kafka, redis }: Servers, log: (line: string) => void): () => void {
  let expected = false;
  void kafka.exited.then((how) => expected || log(`Kafka ended by itself (${how})`));
  void redis.exited.then((how) => expected || log(`Redis ended by itself (${how})`));
  return () => {
    expected = true;
  };
}

async function runForTest({ log, kafkaPort, redisPort }: SourceOptions): Promise<Stack> {
  if (kafkaPort !== undefined) await choosePort(kafkaPort, 'KAFKA_PORT', []);
  if (redisPort !== undefined) await choosePort(redisPort, 'REDIS_PORT', []);
  const root = mkdtempSync(join(tmpdir(), 'reliable-tasking-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  const shared = { removeAfterDeath: true, log };
  try {
    const servers = await startServers(
      startLocalKafka({ ...shared, dir: join(root, 'kafka'), ...(kafkaPort === undefined ? {} : { port: kafkaPort }) }),
      startLocalRedis({ ...shared, dir: join(root, 'redis'), ...(redisPort === undefined ? {} : { port: redisPort }) }),
    );
    const expectEnd = reportSuddenEnd(servers, log);
    log(
      `Stack: Kafka 127.0.0.1:${servers.kafka.port}, Redis 127.0.0.1:${servers.redis.port} (local processes, data in ${root})`,
    );
    return localStack(servers.kafka.port, servers.redis.port, async () => {
      expectEnd();
      await stopServers(servers);
      remove();
    });
  } catch (error) {
    remove();
    throw error;
  }
}

/** The servers of a detached start, if they run and answer. Their `stop` does nothing. */
export async function findDetached({ log, dataDir: dir = stackDir() }: StackOptions): Promise<Stack | undefined> {
  const state = readState(dir);
  const { kafka, redis } = state;
  if (!state.detached || kafka === undefined || redis === undefined || survivors(state).length < 2) return undefined;
  const answers = await Promise.all([kafkaAnswers(kafka.port), redisAnswers(redis.port)]);
  if (answers.includes(false)) return undefined;
  log(`Stack: Kafka 127.0.0.1:${kafka.port}, Redis 127.0.0.1:${redis.port} (was up already, and stays)`);
  return localStack(kafka.port, redis.port, async () => {});
}

/** Ends the servers that are recorded for the folder and still run. Other processes that have got their pids are safe. */
export async function endLeftovers(dir: string, log: (line: string) => void): Promise<void> {
  const left = survivors(readState(dir));
  if (left.length > 0)
    log(`Ending servers that an earlier start left running (process ${left.map(({ pid }) => pid).join(', ')})`);
  await Promise.all(left.map((server) => endMarked(server, LEFTOVER_GRACE_MS)));
  changeState(dir, { kafka: undefined, redis: undefined, detached: undefined });
}

async function runWithData(options: SourceOptions): Promise<Stack> {
  const { log, dataDir: dir = stackDir() } = options;
  const release = takeOwnership(dir);
  try {
    await endLeftovers(dir, log);
    const servers = await startRecorded(dir, options);
    const expectEnd = reportSuddenEnd(servers, log);
    const what = options.detached ? 'local processes, until rt stack down' : 'local processes';
    log(
      `Stack: Kafka 127.0.0.1:${servers.kafka.port}, Redis 127.0.0.1:${servers.redis.port} (${what}, data in ${shortPath(dir)})`,
    );
    if (options.detached) release();
    return localStack(servers.kafka.port, servers.redis.port, async () => {
      expectEnd();
      await stopServers(servers);
      changeState(dir, { kafka: undefined, redis: undefined, detached: undefined });
      release();
    });
  } catch (error) {
    release();
    throw error;
  }
}

async function startRecorded(dir: string, options: SourceOptions): Promise<Servers> {
  const { ports } = readState(dir);
  const kafkaPort = await choosePort(options.kafkaPort, 'KAFKA_PORT', [ports?.kafka, 9092]);
  const redisPort = await choosePort(options.redisPort, 'REDIS_PORT', [ports?.redis, 6379]);
  const detached = options.detached === true;
  changeState(dir, { source: 'local', detached, ports: { kafka: kafkaPort, redis: redisPort } });
  const record = (name: 'kafka' | 'redis') => (spawned: { pid: number; port: number }) => {
    const mark = markOf(spawned.pid);
    if (mark !== undefined) changeState(dir, { [name]: { ...mark, port: spawned.port } });
  };
  const shared = { detached, log: options.log };
  return startServers(
    startLocalKafka({ ...shared, dir: join(dir, 'kafka'), port: kafkaPort, onSpawn: record('kafka') }),
    startLocalRedis({ ...shared, dir: join(dir, 'redis'), port: redisPort, onSpawn: record('redis'), persist: true }),
  );
}
