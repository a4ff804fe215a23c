/**
 * The connection to Redis (one node or a cluster). `pipeline` sends many commands in one round trip. A command that Redis cannot
 * take now fails at once, so that nothing queues up while Redis is away. If Redis stops answering, the commands that were sent fail
 * after seconds, together with the connection, and further ones fail at once.
 */
import { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';
import { systemClock, type TimeSource } from '../../async/clock.ts';
import { withinMs } from '../../async/within-ms.ts';
import type { Config } from '../../config.ts';
import { ApiError, unavailable } from '../../errors.ts';
import { startHeartbeat } from './heartbeat.ts';
import { loadScripts, type Scripts } from './scripts.ts';

type Arg = string | number | Buffer;

/** One command of a pipeline. `oid`: the org whose shard it goes to. `binary`: the answer as buffers. */
export type Command = { oid: string; name: string; args: Arg[]; binary?: boolean };

export type RedisClient = {
  /** One round trip (in a cluster one for each org, together); rejects with `unavailable` if any command fails. */
  pipeline(commands: Command[]): Promise<unknown[]>;
  /** The same, but it never rejects: a command that failed has its `unavailable` instead of an answer. For commands of many orgs, one
   *  of which may be on a shard that is away. */
  tryAll(commands: Command[]): Promise<unknown[]>;
  /** A command that runs a script of scripts/. */
  script(oid: string, name: string, keys: string[], args: Arg[], binary?: boolean): Command;
  /** Reaches every subscriber, also those of other nodes of a cluster. */
  publish(channel: string, messages: string[]): Promise<void>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  ping(): Promise<void>;
  /** Why Redis does not answer, as a sentence; null while it does. */
  fault(): string | null;
  /** The names of keys of all nodes, in pages. A name may come twice. */
  keys(pattern: string): AsyncIterable<string[]>;
  /** The text of INFO, by node. */
  info(section: string): Promise<string[]>;
  /** The value of a setting of Redis, by node; null: this user may not read it. */
  setting(name: string): Promise<(string | null)[]>;
  stop(): Promise<void>;
};

const COMMAND_TIMEOUT_MS = 5_000;
/** Longer than connecting and one command. */
const CONNECT_MAX_MS = 9_000;

/** A command that timed out stays in the queue of its connection until an answer comes, so the connection is closed, too. */
const SOCKET_TIMEOUT_MS = 10_000;

const OPTIONS = {
  maxRetriesPerRequest: 0,
  socketTimeout: SOCKET_TIMEOUT_MS,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: 3_000,
  lazyConnect: true,
};

/** `tryAll`, but it rejects if no command has an answer: then Redis is away, and not only the shards of some orgs. */
export async function someOf(redis: Pick<RedisClient, 'tryAll'>, commands: Command[]): Promise<unknown[]> {
  const replies = await redis.tryAll(commands);
  const [first] = replies;
  if (first instanceof Error && replies.every((reply) => reply instanceof Error)) throw first;
  return replies;
}

export async function connectRedis(
  config: Config,
  log: Logger,
  clock: Pick<TimeSource, 'after' | 'monoMs'> = systemClock,
): Promise<RedisClient> {
  const scripts = loadScripts();
  const client = open(config);
  const subscriber = open(config);
  let last: Error | null = null;
  for (const connection of [client, subscriber]) {
    connection.on('error', (error: Error) => {
      last = error;
      log.debug({ error: error.message }, 'Redis connection failed; the client reconnects');
    });
  }
  try {
    await withinMs(CONNECT_MAX_MS, Promise.all([client.connect(), subscriber.connect()]), undefined, clock);
  } catch (error) {
    // Otherwise it would retry forever.
    client.disconnect();
    subscriber.disconnect();
    throw connectError(last ?? error);
  }
  const listeners = new Map<string, ((message: string) => void)[]>();
  subscriber.on('message', (channel: string, message: string) => {
    for (const listener of listeners.get(channel) ?? []) listener(message);
  });
  const heartbeat = startHeartbeat(
    () => client.status === 'ready',
    () => client.ping(),
    clock,
  );
  // In a cluster, the silent node may be another one than the node of a command.
  const isSilent = () => client instanceof Redis && heartbeat.isSilent();
  const tryUnlessSilent = async (commands: Command[]): Promise<unknown[]> =>
    isSilent() ? commands.map(() => unavailable('Redis does not answer.')) : tryAll(client, commands, scripts);
  return {
    pipeline: async (commands) => {
      const results = await tryUnlessSilent(commands);
      const failed = results.find((result) => result instanceof Error);
      if (failed !== undefined) throw failed;
      return results;
    },
    tryAll: tryUnlessSilent,
    script: (oid, name, keys, args, binary = false) => {
      const sha = scripts.get(name)?.sha;
      if (sha === undefined) throw new Error(`no script ${name}`);
      return { oid, name: 'evalsha', args: [sha, keys.length, ...keys, ...args], binary };
    },
    publish: async (channel, messages) => {
      // No pipeline: a message has no key, and a cluster's pipelines are sorted by keys.
      await Promise.all(messages.map((message) => client.publish(channel, message)));
    },
    subscribe: async (channel, listener) => {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
      await subscriber.subscribe(channel);
    },
    ping: async () => {
      await client.ping();
    },
    fault: () => heartbeat.fault(),
    keys: (pattern) => keysOf(client, pattern),
    info: (section) => Promise.all(mastersOf(client).map((node) => node.info(section))),
    setting: (name) =>
      Promise.all(
        mastersOf(client).map(async (node) => {
          const answer = (await node.config('GET', name).catch(() => null)) as string[] | null;
          return answer?.[1] ?? null;
        }),
      ),
    stop: async () => {
      heartbeat.stop();
      client.disconnect();
      subscriber.disconnect();
    },
  };
}

/** A refused password is final; everything else may pass. */
function connectError(cause: unknown): ApiError {
  const { message } = cause as Error;
  if (/WRONGPASS|NOAUTH|NOPERM|invalid password|without any password/.test(message))
    return new ApiError('config_invalid', `Redis refuses us: ${message}`, { cause });
  return unavailable('Redis cannot be reached.', cause);
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

async function tryAll(client: Redis | Cluster, commands: Command[], scripts: Scripts): Promise<unknown[]> {
  const results = await send(client, commands);
  const unknown = results.flatMap((result, i) =>
    result instanceof Error && /^NOSCRIPT/.test(result.message) ? [i] : [],
  );
  if (unknown.length > 0) {
    await loadInto(client, scripts);
    const answers = await send(client, pick(commands, unknown));
    for (const [at, i] of unknown.entries()) results[i] = answers[at];
  }
  return results.map((result) => (result instanceof Error ? unavailable('Redis did not answer.', result) : result));
}

async function send(client: Redis | Cluster, commands: Command[]): Promise<unknown[]> {
  if (commands.length === 0) return [];
  if (client instanceof Redis) return exec(client, commands);
  const indexes = commands.map((_, i) => i);
  const results: unknown[] = new Array(commands.length);
  await Promise.all(
    [...Map.groupBy(indexes, (i) => (commands[i] as Command).oid).values()].map(async (mine) => {
      const part = await exec(client, pick(commands, mine));
      for (const [at, i] of mine.entries()) results[i] = part[at];
    }),
  );
  return results;
}

const pick = (commands: Command[], indexes: number[]): Command[] => indexes.map((i) => commands[i] as Command);

/** Returns values, and errors as values, also if the whole pipeline fails. */
async function exec(client: Redis | Cluster, commands: Command[]): Promise<unknown[]> {
  try {
    const pipeline = client.pipeline() as unknown as Record<string, (...args: Arg[]) => unknown> & {
      exec(): Promise<[Error | null, unknown][] | null>;
    };
    for (const { name, args, binary } of commands) pipeline[binary ? `${name}Buffer` : name]?.(...args);
    const answers = await pipeline.exec();
    if (answers === null) throw new Error('the pipeline was discarded');
    return answers.map(([error, value]) => error ?? value);
  } catch (error) {
    return commands.map(() => error);
  }
}

const mastersOf = (client: Redis | Cluster): Redis[] => (client instanceof Redis ? [client] : client.nodes('master'));

const SCAN_COUNT = 1_000;

async function* keysOf(client: Redis | Cluster, pattern: string): AsyncIterable<string[]> {
  for (const node of mastersOf(client))
    for await (const page of node.scanStream({ match: pattern, count: SCAN_COUNT })) yield page as string[];
}

/** A Redis that has just started knows no script. A node that is away does not keep the others from getting them; its own commands
 *  fail. */
async function loadInto(client: Redis | Cluster, scripts: Scripts): Promise<void> {
  await Promise.allSettled(
    mastersOf(client).map(async (node) => {
      const pipeline = node.pipeline();
      for (const { text } of scripts.values()) pipeline.script('LOAD', text);
      await pipeline.exec();
    }),
  );
}
