/**
 * A server that starts before Kafka or Redis: it is alive, says what it waits for (/readyz, and the log every few seconds), and starts
 * the roles once both answer. An error that waiting cannot resolve, such as a refused password, ends it at once.
 */
import type { Logger } from 'pino';
import { type Clock, retryDelayMs } from './async/clock.ts';
import type { Config } from './config.ts';
import { isAway } from './edges/away.ts';
import { listen } from './edges/http/listen.ts';
import { createHttpServer } from './edges/http/server.ts';
import { askKafka } from './edges/kafka/admin.ts';
import { connectRedis } from './edges/redis/client.ts';
import { unavailable } from './errors.ts';

/** Why each does not answer; null: it does. */
type Faults = { kafka: string | null; redis: string | null };

const REPORT_EVERY_MS = 5_000;
/** When the first report comes if neither has answered. */
const FIRST_REPORT_MS = 2_000;
/** A server can wait longer than a command for a slow Kafka. */
const KAFKA_ANSWER_MS = 10_000;

/** Runs `start` until it succeeds; undefined once `stopped`. `start` has to call `open` before it listens itself. */
export async function startWhenThere<T>(
  { config, log, clock, roles }: { config: Config; log: Logger; clock: Clock; roles: readonly string[] },
  start: (open: () => Promise<void>) => Promise<T>,
  stopped: AbortSignal,
): Promise<T | undefined> {
  let faults: Faults = { kafka: 'no answer yet', redis: 'no answer yet' };
  const server = createHttpServer(config, log, { report: () => reportOf(roles, faults) });
  server.addHook('onRequest', async (request) => {
    if (!request.routeOptions.config?.probe) throw unavailable(`The server starts: ${sentenceOf(faults)}.`);
  });
  // No path is unknown yet: the API has not registered its paths.
  server.all('/*', async () => undefined);
  await listen(server, config);
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  /** Called as soon as one of them is known to be unavailable, whatever the state of the other. */
  const report = (known: Partial<Faults>) => {
    faults = { ...faults, ...known };
    const isAway = Object.values(known).some((fault) => fault !== null);
    if (!isAway || clock.monoMs() - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = clock.monoMs();
    log.warn(faults, sentenceOf(faults));
  };
  const cancel = clock.after(FIRST_REPORT_MS, () => report(faults));
  try {
    for (let attempt = 1; !stopped.aborted; attempt += 1) {
      await ask(config, log, report);
      if (faults.kafka === null && faults.redis === null) {
        try {
          return await start(() => server.close());
        } catch (error) {
          if (!isAway(error)) throw error;
          log.warn({ err: error }, 'roles not started: Kafka or Redis stopped answering; trying again');
        }
      }
      await clock.delay(retryDelayMs(attempt, clock.random()));
    }
    return undefined;
  } finally {
    cancel();
    await server.close();
  }
}

/** Reports the answer of each as soon as it is known. */
async function ask(config: Config, log: Logger, report: (known: Partial<Faults>) => void): Promise<void> {
  const quiet = log.child({}, { level: 'silent' });
  await Promise.all([
    awayBecause(() => askKafka(config, quiet, KAFKA_ANSWER_MS)).then((kafka) => report({ kafka })),
    awayBecause(async () => (await connectRedis(config, quiet)).stop()).then((redis) => report({ redis })),
  ]);
}

async function awayBecause(ask: () => Promise<void>): Promise<string | null> {
  try {
    await ask();
    return null;
  } catch (error) {
    if (!isAway(error)) throw error;
    const { cause, message } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}

const sentenceOf = ({ kafka, redis }: Faults): string => {
  const away = [kafka !== null && `Kafka (${kafka})`, redis !== null && `Redis (${redis})`].filter(Boolean);
  return away.length === 0 ? 'Kafka and Redis answer, and the roles start' : `waiting for ${away.join(' and ')}`;
};

function reportOf(roles: readonly string[], faults: Faults) {
  const detail = sentenceOf(faults);
  const of = (fault: string | null) => ({ ready: fault === null, detail: fault ?? 'answers' });
  return {
    ready: false,
    roles: Object.fromEntries(roles.map((name) => [name, { ready: false, detail }])),
    redis: of(faults.redis),
    kafka: of(faults.kafka),
  };
}
