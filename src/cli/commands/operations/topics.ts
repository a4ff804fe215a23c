/** `topics create`: makes the topics that are missing, and tells of settings that break a promise. */
import type { Command } from 'commander';
import { type Io, painter, prettyJson } from '../../io.ts';
import { kafkaConfig, logTo, openKafka } from '../../kafka/kafka.ts';
import { withExamples } from '../../options.ts';
import { table } from '../../text/table.ts';

export function registerTopics(program: Command, io: Io): void {
  const topics = program.command('topics').summary('make the topics').description('Looks after the topics on Kafka.');
  withExamples(topics, io, [['topics create', 'make what is missing']]);
  const command = topics
    .command('create')
    .summary('make the topics that are missing')
    .description('Makes the topics that are missing, with their settings, and warns of settings that break a promise.')
    .option('--json', 'print JSON for programs')
    .action((flags: { json?: boolean }) => create(flags, io));
  withExamples(command, io, [
    ['topics create', 'on the brokers of KAFKA_BROKERS'],
    ['topics create --json', 'for programs'],
  ]);
}

async function create(flags: { json?: boolean }, io: Io): Promise<void> {
  const config = kafkaConfig(io);
  const log = logTo('silent');
  const { ensureTopics } = await import('../../../edges/kafka/admin.ts');
  const { created, existing, warnings } = await ensureTopics(await openKafka(config, log), config, log);
  if (flags.json) {
    io.out(prettyJson({ created, existing, warnings }));
    return;
  }
  const paint = painter(io.colour);
  const rows = [
    ...created.map((topic) => [topic, paint('green', 'created')]),
    ...existing.map((topic) => [topic, 'was there']),
  ];
  io.out(table(['TOPIC', 'STATE'], rows, paint));
  for (const warning of warnings) io.err(`${painter(io.errColour)('yellow', 'warning')}  ${warning}\n`);
}
