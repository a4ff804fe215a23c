/** `doctor`: checks settings, Kafka, topics, groups, dead letters, Redis, the projection and the registry, and says what to fix. */

import type { Command } from 'commander';
import { type Config, readConfig } from '../../../config.ts';
import type { RedisClient } from '../../../edges/redis/client.ts';
import {
  type Finding,
  failed,
  type GroupFacts,
  judgeBrokers,
  judgeConfig,
  judgeDeadLetters,
  judgeGroup,
  judgeProjection,
  judgeRedis,
  judgeSubject,
  judgeTopics,
} from '../../../operations/doctor.ts';
import { counted } from '../../../text/counted.ts';
import type { TopicKey } from '../../../topics.ts';
import { cliError } from '../../errors.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { logTo } from '../../kafka/kafka.ts';
import { type Log, subjectsOf, withLog } from '../../kafka/log.ts';
import { type Installation, withInstallation } from '../../kafka/projection.ts';
import { recentDeadLetters } from '../../kafka/recent-dead-letters.ts';
import { withExamples } from '../../options.ts';
import { table } from '../../text/table.ts';

const PAINT = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

export function registerDoctor(program: Command, io: Io): void {
  const command = program
    .command('doctor')
    .summary('check the installation and say what to fix')
    .description(
      'Checks the settings, Kafka, topics, consumer groups, dead letters of the last day, Redis, the projection and the schema registry. ' +
        'It changes nothing.',
    )
    .option('--json', 'print JSON for programs')
    .action((flags: { json?: boolean }) => doctor(flags, io));
  withExamples(command, io, [
    ['doctor', 'exit code 1 when something fails'],
    ['doctor --json', 'for programs'],
  ]);
}

async function doctor(flags: { json?: boolean }, io: Io): Promise<void> {
  const findings = await examine(io);
  if (flags.json) io.out(prettyJson({ findings }));
  else {
    const paint = painter(io.colour);
    const rows = findings.map(({ area, level, finding, advice }) => [
      area,
      paint(PAINT[level], level),
      finding,
      advice,
    ]);
    io.out(table(['WHAT', '', 'FOUND', 'WHAT TO DO'], rows, paint));
  }
  const bad = findings.filter(({ level }) => level === 'fail').length;
  if (bad > 0) throw cliError('unhealthy', `${counted(bad, 'check')} failed.`);
}

async function examine(io: Io): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig(io.env);
  } catch (error) {
    return judgeConfig((error as Error).message.split('\n'));
  }
  // In parallel, because a service that does not answer takes seconds.
  const [kafka, redis, registry] = await Promise.all([examineKafka(io), examineRedis(config), examineRegistry(config)]);
  const findings = [...judgeConfig([]), ...kafka, ...redis];
  if (findings.every(({ level }) => level !== 'fail'))
    findings.push(
      ...(await attempt('projection', 'Fix the failed checks above first.', () =>
        withInstallation(io, examineProjection),
      )),
    );
  return [...findings, ...registry];
}

const attempt = async (area: string, advice: string, work: () => Promise<Finding[]>): Promise<Finding[]> =>
  work().catch((error) => [failed(area, error, advice)]);

const examineKafka = (io: Io): Promise<Finding[]> =>
  attempt('kafka', 'Check KAFKA_BROKERS, KAFKA_SSL and KAFKA_SASL_*, and that the brokers are running.', () =>
    withLog(io, async (log) => {
      const { lookAtCluster, lookAtTopics } = await import('../../../edges/kafka/admin.ts');
      const groups = await groupsOf();
      const { config, kafka } = log;
      const prefix = config.KAFKA_TOPIC_PREFIX;
      const { brokers, members } = await lookAtCluster(
        kafka,
        groups.map(({ group }) => prefix + group),
      );
      const { missing, warnings } = await lookAtTopics(kafka, config);
      const findings = [
        judgeBrokers(brokers, config.TOPIC_REPLICATION),
        ...judgeTopics(missing, warnings, config.TOPICS_CREATE),
      ];
      if (missing.length > 0) return findings;
      for (const { group, topics, ...rest } of groups) {
        const lag = await lagOf(log, prefix + group, topics);
        findings.push(judgeGroup({ ...rest, members: members.get(prefix + group) ?? 0, lag }));
      }
      findings.push(judgeDeadLetters(await recentDeadLetters(log, io.nowMs()), io.name));
      return findings;
    }),
  );

type GroupToSee = Pick<GroupFacts, 'name' | 'role' | 'needed'> & { group: string; topics: TopicKey[] };

async function groupsOf(): Promise<GroupToSee[]> {
  const [
    { PROJECTOR_GROUP },
    { INSPECTOR_GROUP },
    { JOINER_GROUP },
    { RESPONDER_GROUP },
    { OUTPUTS_GROUP },
    { RESPONSES_GROUP },
  ] = await Promise.all([
    import('../../../projector/projector.ts'),
    import('../../../projector/shared-topics.ts'),
    import('../../../joiner/joiner.ts'),
    import('../../../responder/responder.ts'),
    import('../../../responder/outputs/deliver.ts'),
    import('../../../responder/responses/collector.ts'),
  ]);
  const one = (name: string, role: string, needed: boolean, group: string, topics: TopicKey[]): GroupToSee => ({
    name,
    role,
    needed,
    group,
    topics,
  });
  return [
    one('projector', 'projector', true, PROJECTOR_GROUP, ['commands', 'taskEvents']),
    one('inspector', 'projector', false, INSPECTOR_GROUP, ['orgSettings', 'sensorState']),
    one('joiner', 'joiner', true, JOINER_GROUP, ['presence', 'sensorEvents']),
    one('responder', 'responder', false, RESPONDER_GROUP, ['sensorEvents', 'presence', 'taskEvents']),
    one('outputs', 'responder', false, OUTPUTS_GROUP, ['outputs']),
    one('responses', 'responder', false, RESPONSES_GROUP, ['sensorEvents']),
  ];
}

async function lagOf({ ends, committed }: Log, groupId: string, topics: TopicKey[]): Promise<number> {
  let lag = 0;
  for (const topic of topics) {
    const [end, done] = await Promise.all([ends(topic), committed(groupId, topic)]);
    for (const [partition, { low, high }] of end) lag += Math.max(high - Math.max(done.get(partition) ?? low, low), 0);
  }
  return lag;
}

const examineRedis = (config: Config): Promise<Finding[]> =>
  attempt('redis', 'Check REDIS_URL or REDIS_CLUSTER_NODES, and that Redis is running.', async () => {
    const { connectRedis } = await import('../../../edges/redis/client.ts');
    const redis = await connectRedis(config, logTo('silent'));
    try {
      return await judgeNodes(redis);
    } finally {
      await redis.stop();
    }
  });

async function judgeNodes(redis: RedisClient): Promise<Finding[]> {
  const policies = await redis.setting('maxmemory-policy');
  const memory = await redis.info('memory');
  const before = Date.now();
  const servers = await redis.info('server');
  const halfWayMs = (before + Date.now()) / 2;
  const number = (text: string | undefined, name: string) =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text ?? '')?.[1] ?? 0);
  return servers.flatMap((server, i) =>
    judgeRedis({
      version: /^redis_version:(\S+)/m.exec(server)?.[1] ?? '0',
      policy: policies[i] ?? null,
      usedBytes: number(memory[i], 'used_memory'),
      maxBytes: number(memory[i], 'maxmemory'),
      skewMs: number(server, 'server_time_usec') / 1_000 - halfWayMs,
    }),
  );
}

async function examineProjection({ orgs, projection }: Installation): Promise<Finding[]> {
  const oids = orgs.table.oids();
  const statuses = oids.length === 0 ? [] : await projection.status(oids);
  return [judgeProjection(oids.length, statuses.filter((status) => status?.usable).length)];
}

async function examineRegistry({ SCHEMA_REGISTRY_URL, KAFKA_TOPIC_PREFIX }: Config): Promise<Finding[]> {
  if (SCHEMA_REGISTRY_URL === '') return [{ area: 'schemas', level: 'ok', finding: 'no registry is used', advice: '' }];
  return attempt('schemas', 'Check SCHEMA_REGISTRY_URL, and that the registry is running.', async () => {
    const [{ Registry }, { currentSchema }] = await Promise.all([
      import('../../../edges/avro/registry.ts'),
      import('../../../edges/avro/schema-files.ts'),
    ]);
    const registry = new Registry(SCHEMA_REGISTRY_URL);
    const findings: Finding[] = [];
    for (const { subject, record } of subjectsOf(KAFKA_TOPIC_PREFIX)) {
      const { state, level } = await registry.inspect(subject, currentSchema(record).schema);
      findings.push(judgeSubject(subject, state, level));
    }
    return findings;
  });
}
