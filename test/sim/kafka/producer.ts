/**
 * Producers like those of src/edges/kafka/producer.ts: `durable` retries for seconds, `quick` for as long as a user waits, `once`
 * never. A faulty broker refuses, stalls, takes only some partitions, or takes all and does not answer.
 */

import type { OutRecord, Producer } from '../../../src/edges/kafka/producer.ts';
import { unavailable } from '../../../src/errors.ts';
import type { LogOffset } from '../../../src/model/records.ts';
import type { Random } from '../random.ts';
import type { Proc, Scheduler } from '../scheduler.ts';
import type { Broker } from './broker.ts';
import type { Wire } from './wire.ts';

export type ProducerOptions = {
  scheduler: Scheduler;
  random: Random;
  proc: Proc;
  broker: Broker;
  wire: Wire;
  /** The probability that a request fails, 0 to 1. */
  unwell(): number;
};

const KINDS = {
  durable: { retries: 8, firstMs: 100, mostMs: 2_000 },
  once: { retries: 0, firstMs: 0, mostMs: 0 },
  quick: { retries: 3, firstMs: 50, mostMs: 150 },
};

export function simProducer(options: ProducerOptions, kind: keyof typeof KINDS): Producer {
  const { retries, firstMs, mostMs } = KINDS[kind];
  const { scheduler, random, proc } = options;
  const send = async (topic: string, records: OutRecord[]): Promise<LogOffset[]> => {
    const sentMs = scheduler.nowMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await request(options, topic, records, sentMs);
      } catch (cause) {
        if (attempt === retries) throw unavailable(`Kafka did not take records for ${topic}.`, cause);
        const waitMs = Math.min(firstMs * 2 ** attempt, mostMs) * random.between(0.8, 1.2);
        await new Promise<void>((resolve) => scheduler.after(waitMs, resolve, proc));
      }
    }
  };
  return {
    send: async (topic, records) => {
      await send(topic, records);
    },
    sendWhatFits: async (topic, records) => {
      await send(topic, records);
      return [];
    },
    append: (topic, records) =>
      Promise.all(records.map(async (record) => (await send(topic, [record]))[0] as LogOffset)),
    stop: async () => undefined,
  };
}

type Trouble = 'refused' | 'unsaid' | 'partly' | 'stalled';

function request(options: ProducerOptions, topic: string, records: OutRecord[], sentMs: number): Promise<LogOffset[]> {
  const { scheduler, random, broker, wire, unwell } = options;
  const append = (taken: OutRecord[]): LogOffset[] => taken.map((record) => broker.append(topic, record, sentMs));
  return wire.call(async () => {
    if (!random.chance(unwell())) return append(records);
    const trouble = random.weighted<Trouble>({ refused: 2, unsaid: 2, partly: 1, stalled: 1 });
    if (trouble === 'refused') throw new Error('not taken');
    if (trouble === 'partly') {
      const some = random.below(2);
      append(records.filter((record) => broker.partition(topic, record) % 2 === some));
      throw new Error('partly taken');
    }
    if (trouble === 'stalled') {
      const { incarnation } = broker;
      await new Promise<void>((resolve) => scheduler.after(random.between(50, 3_000), resolve));
      if (broker.incarnation !== incarnation) throw new Error('the broker went away');
    }
    const logOffsets = append(records);
    if (trouble === 'unsaid') throw new Error('taken, but not said');
    return logOffsets;
  });
}
