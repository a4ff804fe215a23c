/** If this fails, kafkajs has changed: check how its reader is replaced, and whether that is still needed. */
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { installOwnReader } from '../../../../../src/edges/kafka/kafkajs/record-batches/install.ts';
import { batchOf } from './packed.ts';

const require = createRequire(import.meta.url);
const Encoder = require('kafkajs/src/protocol/encoder.js');
const manyHeaders = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`h${i}`, Buffer.from('v')]));

/** Of one topic with one partition, as a broker sends it to version 11. */
const fetchResponse = (set: Buffer): Buffer =>
  new Encoder()
    .writeInt32(0) // throttled
    .writeInt16(0) // error
    .writeInt32(0) // session
    .writeInt32(1) // topics
    .writeString('topic')
    .writeInt32(1) // partitions
    .writeInt32(0) // number
    .writeInt16(0) // error
    .writeInt64(1) // high watermark
    .writeInt64(1) // last stable offset
    .writeInt64(0) // first offset
    .writeInt32(0) // aborted transactions
    .writeInt32(-1) // preferred replica
    .writeBytes(set).buffer;

it('kafkajs reads fetched batches with our reader instead of its own', async () => {
  expect(require('kafkajs/package.json').version).toBe('2.2.4');
  installOwnReader();
  installOwnReader();
  const { response } = await require('kafkajs/src/protocol/requests/fetch/index.js').protocol({ version: 11 })({
    replicaId: -1,
    isolationLevel: 1,
    maxWaitTime: 1,
    minBytes: 1,
    maxBytes: 1,
    topics: [],
    rackId: '',
  });
  const answer = await response.decode(fetchResponse(await batchOf([{ headers: manyHeaders }])));
  expect(answer.responses[0].partitions[0].messages[0].refusal.code).toBe('record_too_large');
});
