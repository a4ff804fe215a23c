import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { faultsOf } from '../../../src/edges/kafka/topic-faults.ts';
import { TOPICS, type TopicKey, topicConfig, topicNames } from '../../../src/topics.ts';

const config = readConfig({
  KAFKA_BROKERS: 'b:1',
  REDIS_URL: 'redis://r',
  TTL_MAX_SECONDS: '100',
  ENDED_RETENTION_SECONDS: '20',
});
const WEEK = String(7 * 86_400_000);

describe('the settings of topics', () => {
  it.each<[TopicKey, Record<string, string>]>([
    ['commands', { 'retention.ms': '120000', 'message.timestamp.type': 'LogAppendTime' }],
    ['taskEvents', { 'retention.ms': '120000', 'message.timestamp.type': 'LogAppendTime' }],
    [
      'deadLetter',
      { 'retention.ms': '120000', 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '4194304' },
    ],
    ['dispatch', { 'retention.ms': WEEK, 'message.timestamp.type': 'LogAppendTime' }],
    ['presence', { 'retention.ms': WEEK, 'message.timestamp.type': 'LogAppendTime' }],
    [
      'sensorEvents',
      { 'retention.ms': WEEK, 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '2097152' },
    ],
    ['detections', { 'retention.ms': WEEK, 'max.message.bytes': '4194304' }],
    ['outputs', { 'retention.ms': WEEK, 'max.message.bytes': '4194304' }],
  ])('%s: deleted after as long as something rests on it', (key, settings) => {
    expect(topicConfig(TOPICS[key], config)).toEqual({
      'cleanup.policy': 'delete',
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'false',
      ...settings,
    });
  });

  it.each<TopicKey>(['sensorState', 'orgSettings'])('%s: compacted, and never dropped by age', (key) => {
    expect(topicConfig(TOPICS[key], config)).toEqual({
      'cleanup.policy': 'compact',
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'false',
    });
  });

  it.each([
    [1, 0, '1'],
    [2, 0, '1'],
    [3, 0, '2'],
    [3, 3, '3'],
  ])('with %i replicas and TOPIC_MIN_ISR=%i a record counts as written when %s have it', (replicas, least, wanted) => {
    const changed = { ...config, TOPIC_REPLICATION: replicas, TOPIC_MIN_ISR: least };
    expect(topicConfig(TOPICS.commands, changed)['min.insync.replicas']).toBe(wanted);
    expect(faultsOf('n', 'commands', { 'min.insync.replicas': String(Number(wanted) - 1) }, changed)).toHaveLength(1);
    expect(faultsOf('n', 'commands', { 'min.insync.replicas': wanted }, changed)).toEqual([]);
  });

  it('put the configured prefix before the name', () => {
    expect(topicNames('x.').commands).toBe('x.task-commands');
    expect(topicNames('').sensorState).toBe('sensor-state');
  });

  it('have a fault exactly if they break a guarantee', () => {
    const fault = (key: TopicKey, found: Record<string, string>) => faultsOf(key, key, found, config).length;
    expect(fault('taskEvents', { 'retention.ms': '119999' })).toBe(1);
    expect(fault('taskEvents', { 'retention.ms': '120000' })).toBe(0);
    expect(fault('taskEvents', { 'retention.ms': '-1', 'message.timestamp.type': 'LogAppendTime' })).toBe(0);
    expect(fault('sensorState', { 'retention.ms': '1', 'cleanup.policy': 'compact' })).toBe(0);
    expect(fault('sensorState', { 'cleanup.policy': 'delete' })).toBe(1);
    expect(fault('taskEvents', { 'message.timestamp.type': 'CreateTime' })).toBe(1);
    expect(fault('commands', { 'unclean.leader.election.enable': 'true' })).toBe(1);
    expect(fault('outputs', { 'max.message.bytes': '1048588' })).toBe(1);
    for (const key of Object.keys(TOPICS) as TopicKey[]) expect(fault(key, topicConfig(TOPICS[key], config))).toBe(0);
    expect(fault('commands', {})).toBe(0);
  });
});

describe('a topic that exists', () => {
  const defaults = readConfig({ KAFKA_BROKERS: 'b:1', REDIS_URL: 'redis://r' });
  it('has a fault when it keeps records too briefly, or by the clocks of producers', () => {
    const fault = (found: Record<string, string>) => faultsOf('task-commands', 'commands', found, defaults).join(' ');
    expect(fault({ 'retention.ms': '604800000', 'message.timestamp.type': 'LogAppendTime' })).toContain('retention.ms');
    expect(fault({ 'retention.ms': '-1', 'message.timestamp.type': 'CreateTime' })).toContain('LogAppendTime');
    expect(fault({ 'retention.ms': '-1', 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'delete' })).toBe(
      '',
    );
    expect(fault({ 'cleanup.policy': 'compact' })).toContain('cleanup.policy');
  });
});
