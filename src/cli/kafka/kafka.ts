/** Shared by commands that connect to Kafka: settings from the environment, and a log on standard error. */
import { type Logger, pino } from 'pino';
import { type Config, readConfig } from '../../config.ts';
import type { Io } from '../io.ts';

/** The settings of the server. These commands do not use Redis, so its settings may be missing. */
export const kafkaConfig = (io: Io): Config => readConfig({ REDIS_URL: 'redis://unused', ...io.env });

/** Standard output is for results only. */
export const logTo = (level: string) => pino({ level }, pino.destination({ fd: 2, sync: true }));

/** Resolves once Kafka has answered. A command reports within 3 s that no broker answers. */
export async function openKafka(config: Config, log: Logger) {
  const [{ createKafka }, { askKafka }] = await Promise.all([
    import('../../edges/kafka/kafkajs/client.ts'),
    import('../../edges/kafka/admin.ts'),
  ]);
  await askKafka(config, log);
  return createKafka(config, log);
}
