import { describe, expect, test } from 'vitest';
import { parseAddresses, planSource } from '../../src/stack/source.ts';

describe('where Kafka and Redis come from', () => {
  test('the environment wins when it names both', () => {
    const env = { KAFKA_BROKERS: 'a:9092, b:9093,', REDIS_URL: 'redis://r:6379', STACK_SOURCE: 'docker' };
    expect(planSource(env)).toEqual({
      source: 'environment',
      kafkaBrokers: ['a:9092', 'b:9093'],
      redisUrl: 'redis://r:6379',
    });
  });

  test.each([
    [{}, 'try'],
    [{ KAFKA_BROKERS: '', REDIS_URL: '', STACK_SOURCE: '' }, 'try'],
    [{ STACK_SOURCE: 'docker' }, 'must'],
    [{ STACK_SOURCE: 'local' }, 'never'],
  ])('%j leaves it to us, Docker: %s', (env, docker) => {
    expect(planSource(env)).toEqual({ source: 'own', docker });
  });

  test.each([
    [{ KAFKA_BROKERS: 'a:9092' }, /KAFKA_BROKERS is set and REDIS_URL is not/],
    [{ REDIS_URL: 'redis://r' }, /REDIS_URL is set and KAFKA_BROKERS is not/],
    [{ KAFKA_BROKERS: 'a:1', REDIS_URL: 'r 6379' }, /REDIS_URL=r 6379/],
    [{ STACK_SOURCE: 'podman' }, /STACK_SOURCE=podman: docker or local/],
  ])('%j is refused by a line that names what to change', (env, message) => {
    expect(() => planSource(env)).toThrow(message);
  });
});

describe('broker addresses', () => {
  test('host, port and the usual port', () => {
    expect(parseAddresses(['kafka', '10.0.0.1:19092', '[::1]:9093'])).toEqual([
      { host: 'kafka', port: 9092 },
      { host: '10.0.0.1', port: 19092 },
      { host: '::1', port: 9093 },
    ]);
  });

  test('an address without a host is refused', () => {
    expect(() => parseAddresses([':9092'])).toThrow(/not host:port/);
  });
});
