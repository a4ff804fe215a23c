/**
 * All topics: the record, the key and the settings of each. Names are public; a prefix can be set. `sensor-presence`,
 * `sensor-events` and `sensor-state` have the same number of partitions, and so have `task-commands` and `task-events`: one process
 * reads all records of a sensor (of a task), by partition number.
 *
 * A topic has append time if a rebuild reads the records since some time, or if something is decided by that time: the clock of a
 * producer may be wrong, and the broker would also drop records by it.
 */
import type { Config } from './config.ts';
import type { RecordName } from './model/records.ts';

export type Topic = {
  name: string;
  /** The Avro record of the value; null where the value is untouched bytes of another topic. */
  record: RecordName | null;
  key: string;
  cleanup: 'delete' | 'compact';
  /** How long records must stay. 'tasks': longest TTL plus the retention of ended states. */
  retention: 'tasks' | 'week' | 'forever';
  appendTime: boolean;
  /** Maximum size of a record, on the log and uncompressed. */
  maxMessageBytes: number;
};

const MIB = 1024 * 1024;

const topic = (name: string, record: RecordName | null, key: string, rest: Partial<Topic>): Topic => ({
  name,
  record,
  key,
  cleanup: 'delete',
  retention: 'week',
  appendTime: false,
  maxMessageBytes: MIB,
  ...rest,
});

export const TOPICS = {
  commands: topic('task-commands', 'TaskCommand', 'task_id', { retention: 'tasks', appendTime: true }),
  presence: topic('sensor-presence', 'SensorPresence', 'sid', { appendTime: true }),
  sensorEvents: topic('sensor-events', 'SensorEvent', 'sid', { appendTime: true, maxMessageBytes: 2 * MIB }),
  sensorState: topic('sensor-state', 'SensorState', 'oid/sid', { cleanup: 'compact', retention: 'forever' }),
  dispatch: topic('task-dispatch', 'TaskDispatch', 'sid', { appendTime: true }),
  taskEvents: topic('task-events', 'TaskEvent', 'task_id', { retention: 'tasks', appendTime: true }),
  orgSettings: topic('org-settings', 'OrgSetting', 'oid/kind/name', { cleanup: 'compact', retention: 'forever' }),
  detections: topic('detections', 'Detection', 'oid', { maxMessageBytes: 4 * MIB }),
  outputs: topic('outputs', 'OutputRecord', 'oid/output', { maxMessageBytes: 4 * MIB }),
  deadLetter: topic('dead-letter', null, 'source key', {
    retention: 'tasks',
    appendTime: true,
    maxMessageBytes: 4 * MIB,
  }),
} as const satisfies Record<string, Topic>;

export type TopicKey = keyof typeof TOPICS;

/** Names with the configured prefix. */
export function topicNames(prefix: string): Record<TopicKey, string> {
  return Object.fromEntries(Object.entries(TOPICS).map(([key, spec]) => [key, prefix + spec.name])) as Record<
    TopicKey,
    string
  >;
}

/** Least retention in milliseconds, or -1 for topics that keep their records. */
export function retentionMs(spec: Topic, config: Pick<Config, 'TTL_MAX_SECONDS' | 'ENDED_RETENTION_SECONDS'>): number {
  if (spec.retention === 'forever') return -1;
  if (spec.retention === 'week') return 7 * 86_400_000;
  return (config.TTL_MAX_SECONDS + config.ENDED_RETENTION_SECONDS) * 1000;
}

/** Replicas that must have a record before it counts as written: the setting, else one less than the replicas, at least one. */
export const minInsyncReplicas = (config: Pick<Config, 'TOPIC_MIN_ISR' | 'TOPIC_REPLICATION'>): number =>
  config.TOPIC_MIN_ISR > 0 ? config.TOPIC_MIN_ISR : Math.max(config.TOPIC_REPLICATION - 1, 1);

/** Broker-side settings of a topic, as text, for creation and for the check at start. */
export function topicConfig(spec: Topic, config: Config): Record<string, string> {
  return {
    'cleanup.policy': spec.cleanup,
    ...(spec.cleanup === 'delete' ? { 'retention.ms': String(retentionMs(spec, config)) } : {}),
    ...(spec.appendTime ? { 'message.timestamp.type': 'LogAppendTime' } : {}),
    ...(spec.maxMessageBytes > MIB ? { 'max.message.bytes': String(spec.maxMessageBytes) } : {}),
    'min.insync.replicas': String(minInsyncReplicas(config)),
    'unclean.leader.election.enable': 'false',
  };
}
