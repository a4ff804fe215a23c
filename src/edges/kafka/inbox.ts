/** What the roles read: batches of a group, whole topics, offsets. Bytes become records. A record that cannot be decoded comes back
 *  as a refusal, never as an exception. */
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { TimeSource } from '../../async/clock.ts';
import type { Config } from '../../config.ts';
import { ERROR_CODES, type ErrorCode, unavailable } from '../../errors.ts';
import type { RecordName, RecordTypes } from '../../model/records.ts';
import type { Decoded, Inbox, InRecord } from '../../ports.ts';
import { TOPICS, type TopicKey, topicNames } from '../../topics.ts';
import type { Codec } from '../avro/codec.ts';
import { CodecError } from '../avro/error.ts';
import type { Offsets } from './admin.ts';
import { createGroup, type StartableGroup } from './kafkajs/group/group.ts';
import type { Progress } from './progress.ts';
import { startTail } from './tail.ts';

/** How far the clock of a producer may be behind. It counts on topics whose times are the producers'. */
const CREATE_TIME_SLACK_MS = 600_000;

export type InboxOptions = {
  kafka: Kafka;
  codec: Codec;
  offsets: Offsets;
  config: Config;
  log: Logger;
  clock: Pick<TimeSource, 'after' | 'monoMs'>;
  progress: Progress;
};

/** `stop` leaves every group, also one that is being joined: a start that ends halfway leaves no member behind. */
export function createInbox(options: InboxOptions): Inbox & { stop(): Promise<void> } {
  const { kafka, codec, offsets, config, log, clock, progress } = options;
  const groups = new Set<StartableGroup>();
  let stopped = false;
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  const keyOf = new Map(Object.entries(names).map(([key, name]) => [name, key as TopicKey]));
  const topicKey = (name: string): TopicKey => keyOf.get(name) as TopicKey;
  return {
    decode: (name, records) => decodeAll(codec, name, records),
    join: async (options) => {
      if (stopped) throw unavailable('The process stops.');
      const { groupId, topics } = options;
      const group = createGroup({
        kafka,
        groupId,
        topics: topics.map((key) => names[key]),
        sessionMs: config.KAFKA_SESSION_MS,
        log,
        clock,
        onAssigned: (partitions) => {
          progress.assign(groupId, topics, partitions);
          options.onAssigned(partitions);
        },
        wanted: async (name, partition) => {
          const topic = topicKey(name);
          const next = await options.wanted(topic, partition);
          if (next !== null) progress.at(groupId, topic, partition, next);
          return next;
        },
        onBatch: async (batch) => {
          const topic = topicKey(batch.topic);
          const handled = await options.onBatch({ ...batch, topic });
          if (handled === true) progress.at(groupId, topic, batch.partition, batch.nextOffset);
          return handled;
        },
        low: async (topic, partition) => (await offsets.ends(topic)).get(partition)?.low ?? 0,
      });
      groups.add(group);
      try {
        await group.start();
      } catch (error) {
        groups.delete(group);
        throw error;
      }
      return {
        joined: group.joined,
        fault: group.fault,
        commit: (topic, partition, nextOffset) => group.commit(names[topic], partition, nextOffset),
        seek: (topic, partition, offset) => group.seek(names[topic], partition, offset),
        stop: async () => {
          await group.stop();
          groups.delete(group);
          progress.leave(groupId);
        },
      };
    },
    readAll: async (topic, onRecords) => {
      const tail = await startTail({ kafka, topic: names[topic], from: 'beginning', onRecords, log });
      try {
        await tail.caughtUp();
      } finally {
        await tail.stop();
      }
    },
    ends: (topic) => offsets.ends(names[topic]),
    since: (topic, atMs) => offsets.since(names[topic], atMs - (TOPICS[topic].appendTime ? 0 : CREATE_TIME_SLACK_MS)),
    committed: (groupId, topic) => offsets.committed(groupId, names[topic]),
    stop: async () => {
      stopped = true;
      await Promise.all([...groups].map((group) => group.stop()));
    },
  };
}

/** In order. Rejects only if the schema registry does not answer: then the records may be valid, and the batch has to wait. */
export async function decodeAll<N extends RecordName>(
  codec: Codec,
  name: N,
  records: InRecord[],
): Promise<Decoded<RecordTypes[N]>[]> {
  const maxBytes = VALUE_MAX_BYTES[name];
  const isUnread = ({ refusal, value }: InRecord) => refusal !== undefined || (value?.length ?? 0) > maxBytes;
  await codec.resolve(records.map((record) => (isUnread(record) ? null : record.value)));
  return records.map((record) => {
    try {
      if (record.refusal !== undefined) return { record, refusal: record.refusal };
      if (isUnread(record)) return refuse(record, 'record_too_large', tooLarge(record, maxBytes));
      if (record.value === null) return refuse(record, 'record_undecodable', 'The record has no value.');
      return { record, value: codec.decode(name, record.value) };
    } catch (error) {
      if (!(error instanceof CodecError) || error.retriable || !(error.code in ERROR_CODES)) throw error;
      return refuse(record, error.code as ErrorCode, error.message);
    }
  });
}

/** A compressed batch can hold a value that exceeds the limit of its topic. Such a value is refused here. */
const VALUE_MAX_BYTES = Object.fromEntries(
  Object.values(TOPICS).flatMap(({ record, maxMessageBytes }) => (record === null ? [] : [[record, maxMessageBytes]])),
) as Record<RecordName, number>;

const tooLarge = ({ value }: InRecord, maxBytes: number): string =>
  `The value has ${value?.length} bytes; at most ${maxBytes} are allowed on this topic.`;

const refuse = (record: InRecord, code: ErrorCode, message: string) => ({ record, refusal: { code, message } });
