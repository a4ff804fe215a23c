import { expect, test } from 'vitest';
import { log4jSettings, serverProperties } from '../../../src/stack/local/kafka-settings.ts';

const properties = serverProperties({ port: 19092, controllerPort: 19093, dataDir: '/d/data' }).split('\n');

test('Kafka listens on this machine alone, and sends clients to the port that it listens on', () => {
  expect(properties).toContain('listeners=PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093');
  expect(properties).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:19092');
  expect(properties).toContain('controller.quorum.voters=1@127.0.0.1:19093');
});

test('one node can hold every internal topic, and topics do not make themselves', () => {
  const replication = properties.filter((line) => /replication\.factor|min\.isr/.test(line));
  expect(replication).toHaveLength(5);
  for (const line of replication) expect(line).toMatch(/=1$/);
  expect(properties).toContain('auto.create.topics.enable=false');
});

test('a log path with quotes stays one value', () => {
  expect(log4jSettings('/a "b"/kafka.log')).toContain('fileName: "/a \\"b\\"/kafka.log"');
});
