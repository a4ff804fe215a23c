/**
 * Connects to Kafka with our settings, our reader of batches and our log. Nothing of kafkajs is printed past that log, and credentials never are.
 */
import { Kafka, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';
import type { Logger } from 'pino';
import type { Config } from '../../../config.ts';
import { installOwnReader } from './record-batches/install.ts';

const CLIENT_ID = 'reliable-tasking';

const RETRIES = 8;

/** `retries`: for each new connection, and the default for clients that set no other value. */
export function createKafka(config: Config, log: Logger, retries: number = RETRIES): Kafka {
  hideTimerWarning();
  installOwnReader();
  return new Kafka({
    clientId: CLIENT_ID,
    brokers: config.KAFKA_BROKERS,
    ssl: config.KAFKA_SSL,
    ...(config.KAFKA_SASL_MECHANISM === '' ? {} : { sasl: saslOf(config) }),
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => writeLog(log, entry),
  });
}

function saslOf(config: Config): SASLOptions {
  return {
    mechanism: config.KAFKA_SASL_MECHANISM,
    username: config.KAFKA_SASL_USERNAME,
    password: config.KAFKA_SASL_PASSWORD,
  } as SASLOptions;
}

/** kafkajs logs errors that it then retries. An operator needs those that it does not retry. */
function writeLog(log: Logger, { namespace, level, log: { message, ...rest } }: LogEntry): void {
  const fields = { kafka: namespace, error: rest.error, broker: rest.broker, groupId: rest.groupId, topic: rest.topic };
  if (level <= logLevel.WARN) log.warn(fields, message);
  else log.debug(fields, message);
}

let hidden = false;

/** Node warns of timers that are already due, which kafkajs sets. Other warnings are still printed. */
function hideTimerWarning(): void {
  if (hidden) return;
  hidden = true;
  const printers = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'TimeoutNegativeWarning') for (const print of printers) print.call(process, warning);
  });
}
