// The stack for `npm start` and `rt stack up` by docker compose, under one project name and with the data in its volumes. A
// project that runs already is used as it is. If a crash of this checkout left it, `stop` stops it; otherwise another program may use
// it, so it stays.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot, stackDir } from '../paths.ts';
import { choosePort } from '../ports.ts';
import { kafkaAnswers, redisAnswers } from '../probe.ts';
import { afterOurDeath } from '../process/watchdog.ts';
import type { SourceOptions, Stack } from '../source.ts';
import { changeState, readState, takeOwnership } from '../state.ts';
import { docker } from './docker.ts';

export const composeImages = ['apache/kafka:4.3.1', 'redis:7'];
const FILE = join(packageRoot, 'docker-compose.yml');
const PROJECT = ['compose', '-p', 'reliable-tasking', '-f', FILE];
const QUESTION_MS = 15_000;
const UP_MS = 120_000;
const DOWN_MS = 60_000;

type Ports = { kafka: number; redis: number };

/** The port in what `docker compose port` prints, such as `127.0.0.1:9092`; undefined when it names none. */
export function publishedPort(text: string): number | undefined {
  const port = Number(/:(\d+)\s*$/.exec(text)?.[1] ?? 0);
  return port > 0 ? port : undefined;
}

async function portOf(service: string, inside: number): Promise<number | undefined> {
  try {
    return publishedPort(await docker([...PROJECT, 'port', service, String(inside)], QUESTION_MS));
  } catch {
    return undefined; // not running
  }
}

/** Where the project listens, or undefined unless both of its services run. */
export async function composePorts(): Promise<Ports | undefined> {
  const [kafka, redis] = await Promise.all([portOf('kafka', 9092), portOf('redis', 6379)]);
  return kafka === undefined || redis === undefined ? undefined : { kafka, redis };
}

/** Stops the containers and removes them; the volumes stay. */
export async function composeDown(): Promise<void> {
  await docker([...PROJECT, 'down', '--timeout', '20'], DOWN_MS);
}

async function composeUp(ports: Ports): Promise<void> {
  const env = { KAFKA_PORT: String(ports.kafka), REDIS_PORT: String(ports.redis) };
  await docker([...PROJECT, 'up', '-d', '--quiet-pull'], UP_MS, env);
}

/** Asks the servers themselves: compose's own health checks come once in ten seconds. */
async function untilHealthy(ports: Ports): Promise<void> {
  const giveUpAt = Date.now() + UP_MS;
  for (;;) {
    const answers = await Promise.all([kafkaAnswers(ports.kafka), redisAnswers(ports.redis)]);
    if (!answers.includes(false)) return;
    if (Date.now() > giveUpAt)
      throw new Error(`The containers did not answer within ${UP_MS / 1000} s: docker compose logs`);
    await delay(200);
  }
}

async function choosePorts(dir: string, { kafkaPort, redisPort }: SourceOptions): Promise<Ports> {
  const remembered = readState(dir).ports;
  return {
    kafka: await choosePort(kafkaPort, 'KAFKA_PORT', [remembered?.kafka, 9092]),
    redis: await choosePort(redisPort, 'REDIS_PORT', [remembered?.redis, 6379]),
  };
}

function stackOn(ports: Ports, stop: () => Promise<void>): Stack {
  const redisUrl = `redis://127.0.0.1:${ports.redis}`;
  return { source: 'docker', kafkaBrokers: [`127.0.0.1:${ports.kafka}`], redisUrl, stop };
}

/** Throws a line when the containers can't be brought up; nothing of them is left then. */
export async function runCompose(options: SourceOptions): Promise<Stack> {
  const { log, dataDir: dir = stackDir(), detached = false } = options;
  const standing = await composePorts();
  const state = readState(dir);
  const leftByUs = state.source === 'docker' && state.detached === false;
  if (standing !== undefined && !leftByUs) {
    await untilHealthy(standing);
    log(
      `Stack: Kafka 127.0.0.1:${standing.kafka}, Redis 127.0.0.1:${standing.redis} (its containers were up already, and stay)`,
    );
    return stackOn(standing, async () => {});
  }

  const release = takeOwnership(dir);
  const watchdog = detached ? undefined : afterOurDeath('docker "$@"', [...PROJECT, 'down']);
  const stop = async () => {
    await composeDown();
    watchdog?.cancel();
    changeState(dir, { source: undefined, detached: undefined });
    release();
  };
  try {
    const ports = standing ?? (await choosePorts(dir, options));
    changeState(dir, { source: 'docker', detached, ports });
    await composeUp(ports);
    await untilHealthy(ports);
    log(`Stack: Kafka 127.0.0.1:${ports.kafka}, Redis 127.0.0.1:${ports.redis} (docker compose)`);
    if (detached) release();
    return stackOn(ports, stop);
  } catch (error) {
    await stop().catch(() => {}); // the first failure says more
    watchdog?.cancel();
    release();
    throw error;
  }
}
