import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { isBeingFenced, isFenced, isKafkaAway, isRefusedRecord } from '../../../../src/edges/kafka/kafkajs/errors.ts';

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js');
const { KafkaJSNumberOfRetriesExceeded, KafkaJSTimeout } = require('kafkajs/src/errors.js');

const wrapped = (cause: Error) => new KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 1, retryTime: 1 });

describe('an error of kafkajs', () => {
  it('is a permanent refusal of a record, also below the retries that it has cost', () => {
    for (const code of [10, 18]) expect(isRefusedRecord(wrapped(createErrorFromCode(code)))).toBe(true);
    expect(isRefusedRecord(wrapped(createErrorFromCode(5)))).toBe(false);
  });

  it('says that a producer is fenced, or is about to be', () => {
    expect(isFenced(wrapped(createErrorFromCode(47)))).toBe(true);
    expect(isFenced(createErrorFromCode(51))).toBe(false);
    expect(isBeingFenced(createErrorFromCode(51))).toBe(true);
    expect(isBeingFenced(createErrorFromCode(-1))).toBe(true);
  });

  it('says that Kafka is away, where kafkajs calls it final', () => {
    expect(isKafkaAway(wrapped(new Error('ECONNREFUSED')))).toBe(true);
    expect(isKafkaAway(new KafkaJSTimeout('late'))).toBe(true);
    expect(isKafkaAway(createErrorFromCode(5))).toBe(true);
    expect(isKafkaAway(createErrorFromCode(29))).toBe(false);
    expect(isKafkaAway(new Error('another'))).toBe(false);
  });
});
