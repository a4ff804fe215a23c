/**
 * Reads single records of a topic by partition and offset. kafkajs reads as a consumer of a group alone, whose joining, seeking and
 * fetching ahead cost more than the record. So its own connections to the brokers are asked for what they can do: a fetch from
 * an offset on, without a group. That part of kafkajs is not public; docs/decisions/0007 says why it is used nevertheless.
 *
 * Answers in the order of what is asked; null: the topic does not hold it any more. Rejects when Kafka is away. At most
 * AT_ONCE questions are under way, others wait.
 */
import type { Kafka } from 'kafkajs';
import pLimit from 'p-limit';
import type { InRecord } from '../../../ports.ts';
import { type Fetched, inRecordOf } from './in-record.ts';

export type Position = { partition: number; offset: number };

export type ByPosition = {
  read(positions: readonly Position[]): Promise<(InRecord | null)[]>;
  stop(): Promise<void>;
};

type Answer = { responses: { partitions: { messages: Fetched[] }[] }[] };
type Broker = { fetch(request: object): Promise<Answer> };
/** The part of kafkajs's cluster that is used. */
type Cluster = {
  connect(): Promise<void>;
  isConnected(): boolean;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(which: { nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ partitions: { partition: number; offset: string }[] }[]>;
};

const AT_ONCE = 4;
const TRIES = 3;
/** Maximum size of one fetch. A single batch of records comes whole, however large. */
const FETCH_BYTES = 256 * 1024;
const WAIT_MS = 50;
const READ_COMMITTED = 1;
const METADATA_AGE_MS = 60_000;

export function createByPosition(kafka: Kafka, topic: string): ByPosition {
  const cluster = clusterOf(kafka);
  const limit = pLimit(AT_ONCE);
  let opened = false;
  const connect = async (): Promise<void> => {
    opened = true;
    if (!cluster.isConnected()) await cluster.connect();
    await cluster.addTargetTopic(topic);
  };
  const ask = async (positions: readonly Position[]): Promise<(InRecord | null)[]> => {
    await connect();
    await cluster.refreshMetadataIfNecessary();
    const byPartition = Map.groupBy(positions, ({ partition }) => partition);
    const lows = await lowsOf(cluster, topic, [...byPartition.keys()]);
    const found = await Promise.all(
      [...byPartition].map(([partition, mine]) => {
        const kept = mine.map(({ offset }) => offset).filter((offset) => offset >= (lows.get(partition) ?? 0));
        return readPartition(cluster, topic, partition, kept);
      }),
    );
    const records = new Map(found.flat().map((record) => [`${record.partition} ${record.offset}`, record]));
    return positions.map(({ partition, offset }) => records.get(`${partition} ${offset}`) ?? null);
  };
  return {
    read: async (positions) => (positions.length === 0 ? [] : limit(() => tried(cluster, () => ask(positions)))),
    stop: async () => {
      if (opened) await cluster.disconnect();
    },
  };
}

/** If a leader has moved or a connection was closed, the next try gets new metadata. */
async function tried<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === TRIES) throw error;
      if (cluster.isConnected()) await cluster.refreshMetadata();
    }
  }
}

async function lowsOf(cluster: Cluster, topic: string, partitions: number[]): Promise<Map<number, number>> {
  const [answer] = await cluster.fetchTopicsOffset([
    { topic, partitions: partitions.map((partition) => ({ partition })), fromBeginning: true },
  ]);
  return new Map((answer?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
}

/** The records at these offsets, as far as they exist. A fetch also returns the records that follow, so neighbours cost one fetch. */
async function readPartition(
  cluster: Cluster,
  topic: string,
  partition: number,
  offsets: readonly number[],
): Promise<InRecord[]> {
  const wanted = new Set(offsets);
  const found: InRecord[] = [];
  const left = [...wanted].sort((a, b) => b - a);
  for (let offset = left.pop(); offset !== undefined; offset = left.pop()) {
    const messages = await fetchFrom(cluster, topic, partition, offset);
    let last = offset;
    for (const message of messages) {
      const at = Number(message.offset);
      last = Math.max(last, at);
      if (at >= offset && wanted.has(at)) found.push(inRecordOf(topic, partition, message));
    }
    while ((left.at(-1) ?? Number.POSITIVE_INFINITY) <= last) left.pop();
  }
  return found;
}

async function fetchFrom(cluster: Cluster, topic: string, partition: number, offset: number): Promise<Fetched[]> {
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) return [];
  const broker = await cluster.findBroker({ nodeId });
  const partitions = [{ partition, fetchOffset: String(offset), maxBytes: FETCH_BYTES }];
  try {
    const { responses } = await broker.fetch({
      replicaId: -1,
      maxWaitTime: WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      topics: [{ topic, partitions }],
    });
    return responses[0]?.partitions[0]?.messages ?? [];
  } catch (error) {
    // The record was deleted meanwhile, or the topic was created again.
    if ((error as { type?: string }).type === 'OFFSET_OUT_OF_RANGE') return [];
    throw error;
  }
}

function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description = '' }) =>
    /:createCluster$/.test(description),
  );
  if (symbol === undefined) throw new Error('this kafkajs makes its connections in another way');
  const make = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol];
  return (make as (options: object) => Cluster)({
    metadataMaxAge: METADATA_AGE_MS,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
}
