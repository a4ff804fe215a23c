/**
 * What kafkajs does that src/edges/kafka/kafkajs/ works around (see its README.md). A test that fails says that kafkajs has
 * changed: then the workaround has lost its reason, or its ground.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import kafkajs, { Kafka, PartitionAssigners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { createByPosition } from '../../../../src/edges/kafka/kafkajs/read-by-position.ts';

const require = createRequire(import.meta.url);
const sourceOf = (path: string): string => readFileSync(require.resolve(`kafkajs/src/${path}`), 'utf8');

describe('kafkajs', () => {
  it('has the version that the workarounds were written for', () => {
    expect(require('kafkajs/package.json').version).toBe('2.2.4');
  });

  it('assigns partitions round robin alone: not by number, and not to the same member again', () => {
    expect(Object.keys(PartitionAssigners)).toEqual(['roundRobin']);
  });

  it('hashes keys with 64-bit objects, which is slow', () => {
    expect(sourceOf('producer/partitioners/default/murmur2.js')).toContain("require('../../../utils/long')");
  });

  it('hides control records, so that a batch of nothing else reaches no consumer', () => {
    const Batch = require('kafkajs/src/consumer/batch.js');
    const batch = new Batch('t', '5', {
      partition: 0,
      highWatermark: '7',
      abortedTransactions: [],
      messages: [{ offset: '5', isControlRecord: true }],
    });
    expect(batch.isEmpty()).toBe(true);
    expect(batch.lastOffset()).toBe('5');
    // Not in its types, and what the check of each batch compares with.
    expect(batch.fetchedOffset).toBe('5');
  });

  // Node warns once in a process, so this needs a process of its own.
  it('sets timers that are already due, of which Node warns', async () => {
    const program = `
      const RequestQueue = require('kafkajs/src/network/requestQueue/index.js');
      const logger = { debug() {} };
      const queue = new RequestQueue({ maxInFlightRequests: 1, enforceRequestTimeout: false, logger, isConnected: () => true });
      queue.throttledUntil = -1;
      queue.scheduleCheckPendingRequests();
      setTimeout(() => queue.destroy(), 10);`;
    const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=commonjs', '-e', program]);
    expect(stderr).toContain('TimeoutNegativeWarning');
  });

  it('calls errors final that only mean that Kafka is away', () => {
    const { KafkaJSNumberOfRetriesExceeded, KafkaJSGroupCoordinatorNotFound, KafkaJSTimeout } =
      kafkajs as unknown as Record<string, new (cause: unknown, options?: object) => Error & { retriable: boolean }>;
    for (const Failure of [KafkaJSNumberOfRetriesExceeded, KafkaJSTimeout, KafkaJSGroupCoordinatorNotFound]) {
      const error = new (Failure as NonNullable<typeof Failure>)(new Error('away'), { retryCount: 8, retryTime: 1 });
      expect(error.retriable).toBe(false);
    }
  });

  it('does not know the error code of a fenced producer', () => {
    const { createErrorFromCode } = require('kafkajs/src/protocol/error.js');
    expect(createErrorFromCode(90).type).toBe('KAFKAJS_UNKNOWN_ERROR_CODE');
  });

  it('has the private connections and methods that the reader of single records calls', () => {
    const kafka = new Kafka({ brokers: ['localhost:1'] });
    expect(() => createByPosition(kafka, 't')).not.toThrow();
    const Cluster = require('kafkajs/src/cluster/index.js');
    for (const name of [
      'connect',
      'isConnected',
      'disconnect',
      'addTargetTopic',
      'refreshMetadata',
      'refreshMetadataIfNecessary',
      'findLeaderForPartitions',
      'findBroker',
      'fetchTopicsOffset',
    ])
      expect(Cluster.prototype[name], name).toBeTypeOf('function');
    expect(require('kafkajs/src/broker/index.js').prototype.fetch).toBeTypeOf('function');
  });
});
