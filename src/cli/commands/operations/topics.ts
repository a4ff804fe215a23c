/** `topics create`: creates missing topics, and warns of topic settings that break a guarantee. */
import type { Command } from 'commander';
import { type Io, painter, prettyJson } from '../../io.ts';
import { kafkaConfig, logTo, openKafka } from '../../kafka/kafka.ts';
import { withExamples } from '../../options.ts';
import { table } from '../../text/table.ts';

export function registerTopics(program: Command, io: Io): void {
  const topics = program.command('topics').summary('create the topics').description('Manages the topics.');
  withExamples(topics, io, [['topics create', 'create missing topics']]);
  const command = topics
    .command('create')
    .summary('create missing topics')
    .description('Creates missing topics with their settings, and warns of settings that break a guarantee.')
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
