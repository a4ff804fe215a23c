/**
 * The measure beside ours: kafkajs with nothing around it, in a process of its own like the joiner. Jobs come from the parent
 * by message, and each is answered by one message; the process is warm after the first.
 *
 *   count    reads records and counts them
 *   forward  reads records, and for each batch writes a share of their number, of the size of dispatches
 *   relay    reads records one by one and writes each to another topic, until it is told to stop
 */
import { randomUUID } from 'node:crypto';
import kafkajs, { type EachBatchPayload, Kafka, type KafkaMessage, Partitioners, type Producer } from 'kafkajs';

export type RawJob =
  | {
      kind: 'count' | 'forward';
      topic: string;
      from: [number, number][];
      records: number;
      to: string;
      share: number;
      bytes: number;
    }
  | { kind: 'relay'; topic: string; to: string; from: [number, number][] };

/** `seconds` from the first fetch to the end of the last batch; CPU of the process meanwhile. `written`: records. */
export type RawResult = { seconds: number; cpuSeconds: number; written: number };
export type RawAnswer = { ready: true } | { result: RawResult } | { fault: string };

const REQUEST_MAX_BYTES = 900_000;
/** The joiner's own: a fetch as large as its fetches. */
const FETCH_BYTES = 2 * 1024 * 1024 + 65_536;
const MAX_WAIT_MS = 50;
const CONCURRENCY = 16;

const kafka = new Kafka({
  clientId: 'reliable-tasking-bench',
  brokers: (process.env.KAFKA_BROKERS ?? '').split(','),
  logLevel: kafkajs.logLevel.ERROR,
});

const tell = (answer: RawAnswer): void => void process.send?.(answer);

async function consumer(
  { topic, from }: RawJob,
  onJoined: () => void,
  eachBatch: (payload: EachBatchPayload, wanted: number) => Promise<void>,
) {
  const made = kafka.consumer({
    groupId: `bench-raw-${randomUUID()}`,
    maxWaitTimeInMs: MAX_WAIT_MS,
    maxBytesPerPartition: FETCH_BYTES,
    allowAutoTopicCreation: false,
  });
  const next = new Map(from);
  made.on(made.events.GROUP_JOIN, () => {
    for (const [partition, offset] of next) made.seek({ topic, partition, offset: String(offset) });
    onJoined();
  });
  await made.connect();
  await made.subscribe({ topics: [topic], fromBeginning: true });
  await made.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    partitionsConsumedConcurrently: CONCURRENCY,
    eachBatch: (payload) => eachBatch(payload, next.get(payload.batch.partition) ?? 0),
  });
  return made;
}

/** A fetch that was under way before the seek may bring older records. */
const wantedOf = ({ batch }: EachBatchPayload, wanted: number): KafkaMessage[] =>
  batch.messages.filter(({ offset }) => Number(offset) >= wanted);

async function openProducer(): Promise<Producer> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return producer;
}

async function pass(job: RawJob & { kind: 'count' | 'forward' }): Promise<RawResult> {
  const producer = job.kind === 'forward' ? await openProducer() : undefined;
  const value = Buffer.alloc(job.bytes, 'x');
  const perRequest = Math.floor(REQUEST_MAX_BYTES / (job.bytes + 100));
  let [read, written, owed] = [0, 0, 0];
  let first: { atMs: number; cpu: NodeJS.CpuUsage } | undefined;
  let finish: (result: RawResult) => void;
  const finished = new Promise<RawResult>((resolve) => {
    finish = resolve;
  });
  const onJoined = () => {
    first ??= { atMs: performance.now(), cpu: process.cpuUsage() };
  };
  const reader = await consumer(job, onJoined, async (payload, wanted) => {
    const messages = wantedOf(payload, wanted);
    if (messages.length === 0 || !first) return;
    owed += messages.length * job.share;
    const due = messages.slice(0, producer ? Math.floor(owed) - written : 0).map(({ key }) => ({ key, value }));
    written += due.length;
    for (let i = 0; i < due.length; i += perRequest)
      await producer?.send({ topic: job.to, acks: -1, messages: due.slice(i, i + perRequest) });
    read += messages.length;
    if (read < job.records) return;
    const { user, system } = process.cpuUsage(first.cpu);
    finish({ seconds: (performance.now() - first.atMs) / 1000, cpuSeconds: (user + system) / 1e6, written });
  });
  const result = await finished;
  await reader.disconnect();
  await producer?.disconnect();
  return result;
}

async function relay(job: RawJob & { kind: 'relay' }): Promise<void> {
  const producer = await openProducer();
  await consumer(
    job,
    () => tell({ ready: true }),
    async (payload, wanted) => {
      const messages = wantedOf(payload, wanted).map(({ key, value }) => ({ key, value }));
      if (messages.length > 0) await producer.send({ topic: job.to, acks: -1, messages });
    },
  );
}

process.on('message', (job: RawJob) => {
  const work = job.kind === 'relay' ? relay(job) : pass(job).then((result) => tell({ result }));
  work.catch((error: Error) => tell({ fault: error.message }));
});
process.on('disconnect', () => process.exit(0));
