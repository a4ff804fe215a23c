// The stack for tests as containers of testcontainers: ports of their own, nothing kept. They carry a label of this run, so
// that even a kill -9 of the tests leaves none behind.

import { randomUUID } from 'node:crypto';
import { afterOurDeath } from '../process/watchdog.ts';
import type { SourceOptions, Stack } from '../source.ts';
import { hasImage } from './docker.ts';

// KafkaContainer knows Confluent's image only; inside is the same Apache Kafka.
export const testImages = { kafka: 'confluentinc/cp-kafka:8.0.0', redis: 'redis:7' };
const RYUK = 'testcontainers/ryuk';
const LABEL = 'reliable-tasking.run';
const KAFKA_CONTAINER_PORT = 9093;
const REDIS_CONTAINER_PORT = 6379;

const removeLabelled = `docker ps -aq --filter "label=$1" | while read -r id; do docker rm -f -v "$id"; done`;

const kafkaEnvironment = {
  KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
  KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '8',
  KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
  KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE: '33554432',
  KAFKA_HEAP_OPTS: '-Xms128m -Xmx512m',
};

/** Throws when a container does not come up; what did is stopped then. */
export async function runContainers({ log }: SourceOptions): Promise<Stack> {
  // Its reaper is an image of its own. Where that is not there we do its work.
  if (!(await hasImage(RYUK))) process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  const { GenericContainer, Wait } = await import('testcontainers');
  const { KafkaContainer } = await import('@testcontainers/kafka');

  const run = randomUUID();
  const watchdog = afterOurDeath(removeLabelled, [`${LABEL}=${run}`]);
  const starting = [
    new KafkaContainer(testImages.kafka)
      .withEnvironment(kafkaEnvironment)
      .withLabels({ [LABEL]: run })
      // Without it the container counts as started before the broker listens.
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .start(),
    new GenericContainer(testImages.redis)
      .withCommand(['redis-server', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'])
      .withExposedPorts(REDIS_CONTAINER_PORT)
      .withLabels({ [LABEL]: run })
      .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
      .start(),
  ] as const;
  const stop = async () => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((result) => (result.status === 'fulfilled' ? result.value.stop() : undefined)));
    watchdog.cancel();
  };
  try {
    const [kafka, redis] = await Promise.all(starting);
    const broker = `${kafka.getHost()}:${kafka.getMappedPort(KAFKA_CONTAINER_PORT)}`;
    const redisAddress = `${redis.getHost()}:${redis.getMappedPort(REDIS_CONTAINER_PORT)}`;
    log(`Stack: Kafka ${broker}, Redis ${redisAddress} (containers of this run)`);
    return { source: 'docker', kafkaBrokers: [broker], redisUrl: `redis://${redisAddress}`, stop: once(stop) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes repeated calls share the first one's work. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
