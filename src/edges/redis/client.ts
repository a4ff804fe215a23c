/**
 * One connection to Redis (one node or a cluster) and the way of all commands: `trip` sends many in one round trip. A
 * command that Redis can't take now is refused at once; nothing queues up behind a Redis that is away.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Config } from '../../config.ts';
import { unavailable } from '../../errors.ts';

type Arg = string | number | Buffer;

/** One command of a trip. `oid` names the org whose shard it goes to. `binary`: the answer as buffers. */
export type Command = { oid: string; name: string; args: Arg[]; binary?: boolean };

export type RedisClient = {
  /** One round trip (in a cluster one for each org, together); rejects with `unavailable` if any command fails. */
  trip(commands: Command[]): Promise<unknown[]>;
  /** A command of a trip that runs a script of scripts/. */
  script(oid: string, name: string, keys: string[], args: Arg[], binary?: boolean): Command;
  publish(channel: string, messages: string[]): Promise<void>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  ping(): Promise<void>;
  stop(): Promise<void>;
};

const COMMAND_TIMEOUT_MS = 5_000;

const OPTIONS = {
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: 3_000,
  lazyConnect: true,
};

export async function connectRedis(config: Config, log: Logger): Promise<RedisClient> {
  const scripts = loadScripts();
  const client = open(config);
  const subscriber = open(config);
  for (const connection of [client, subscriber]) {
    connection.on('error', (error: Error) => log.debug({ error: error.message }, 'redis connection'));
  }
  await Promise.all([client.connect(), subscriber.connect()]);
  return {
    trip: (commands) => trip(client, commands, scripts),
    script: (oid, name, keys, args, binary = false) => {
      const sha = scripts.get(name)?.sha;
      if (sha === undefined) throw new Error(`no script ${name}`);
      return { oid, name: 'evalsha', args: [sha, keys.length, ...keys, ...args], binary };
    },
    publish: async (channel, messages) => {
      const pipeline = (client as Redis).pipeline();
      for (const message of messages) pipeline.publish(channel, message);
      await pipeline.exec();
    },
    subscribe: async (channel, listener) => {
      await subscriber.subscribe(channel);
      subscriber.on('message', (_channel: string, message: string) => listener(message));
    },
    ping: async () => {
      await (client as Redis).ping();
    },
    stop: async () => {
      client.disconnect();
      subscriber.disconnect();
    },
  };
}

function open(config: Config): Redis | Cluster {
  const retryStrategy = (times: number) => Math.min(times * 50, 1_000);
  if (config.REDIS_CLUSTER_NODES.length === 0) {
    return new Redis(config.REDIS_URL, { ...OPTIONS, retryStrategy, enableOfflineQueue: false });
  }
  const nodes = config.REDIS_CLUSTER_NODES.map((node) => ({
    host: node.replace(/:\d+$/, ''),
    port: Number(node.split(':').at(-1)),
  }));
  return new Cluster(nodes, { redisOptions: OPTIONS, enableOfflineQueue: false, lazyConnect: true });
}

type Scripts = Map<string, { sha: string; text: string }>;

function loadScripts(): Scripts {
  const folder = new URL('./scripts/', import.meta.url);
  const prelude = readFileSync(new URL('prelude.lua', folder), 'utf8');
  const names = readdirSync(folder).filter((name) => name.endsWith('.lua') && name !== 'prelude.lua');
  return new Map(
    names.map((name) => {
      const text = `${prelude}\n${readFileSync(new URL(name, folder), 'utf8')}`;
      return [name.slice(0, -4), { text, sha: createHash('sha1').update(text).digest('hex') }];
    }),
  );
}

async function trip(client: Redis | Cluster, commands: Command[], scripts: Scripts): Promise<unknown[]> {
  if (commands.length === 0) return [];
  try {
    const results = await send(client, commands);
    const unknown = results.flatMap((result, i) =>
      result instanceof Error && /^NOSCRIPT/.test(result.message) ? [i] : [],
    );
    if (unknown.length > 0) {
      await teach(client, scripts);
      const again = await send(
        client,
        unknown.map((i) => commands[i] as Command),
      );
      for (const [at, i] of unknown.entries()) results[i] = again[at];
    }
    const failed = results.find((result) => result instanceof Error);
    if (failed !== undefined) throw failed;
    return results;
  } catch (cause) {
    throw unavailable('Redis did not answer.', cause);
  }
}

async function send(client: Redis | Cluster, commands: Command[]): Promise<unknown[]> {
  if (client instanceof Redis) return exec(client, commands);
  const byOrg = new Map<string, number[]>();
  for (const [i, { oid }] of commands.entries()) {
    const places = byOrg.get(oid);
    if (places) places.push(i);
    else byOrg.set(oid, [i]);
  }
  const results: unknown[] = new Array(commands.length);
  await Promise.all(
    [...byOrg.values()].map(async (places) => {
      const part = await exec(
        client,
        places.map((i) => commands[i] as Command),
      );
      for (const [at, i] of places.entries()) results[i] = part[at];
    }),
  );
  return results;
}

/** Answers values, and errors as values. */
async function exec(client: Redis | Cluster, commands: Command[]): Promise<unknown[]> {
  const pipeline = client.pipeline() as unknown as Record<string, (...args: Arg[]) => unknown> & {
    exec(): Promise<[Error | null, unknown][] | null>;
  };
  for (const { name, args, binary } of commands) pipeline[binary ? `${name}Buffer` : name]?.(...args);
  const answers = await pipeline.exec();
  if (answers === null) throw new Error('the pipeline was given up');
  return answers.map(([error, value]) => error ?? value);
}

/** A Redis that has just been started knows no script. */
async function teach(client: Redis | Cluster, scripts: Scripts): Promise<void> {
  const nodes = client instanceof Redis ? [client] : client.nodes('master');
  for (const node of nodes) {
    const pipeline = node.pipeline();
    for (const { text } of scripts.values()) pipeline.script('LOAD', text);
    await pipeline.exec();
  }
}
