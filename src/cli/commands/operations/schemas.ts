/** `schemas check|register`: checks the schemas against their own history and the registry, and registers them. */

import type { Command } from 'commander';
import type { SubjectReport } from '../../../edges/avro/registry.ts';
import type { RecordName } from '../../../model/records.ts';
import { counted } from '../../../text/counted.ts';
import { cliError, usageError } from '../../errors.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { kafkaConfig } from '../../kafka/kafka.ts';
import { subjectsOf } from '../../kafka/log.ts';
import { withExamples } from '../../options.ts';
import { table } from '../../text/table.ts';

export function registerSchemas(program: Command, io: Io): void {
  const schemas = program
    .command('schemas')
    .summary('check and register the schemas')
    .description('Manages the Avro schemas of the records, in this package and in the registry (SCHEMA_REGISTRY_URL).');
  withExamples(schemas, io, [['schemas check', 'check that every change is compatible']]);
  const check = schemas
    .command('check')
    .summary('check that every change is compatible')
    .description(
      'Checks that the newest schemas can read records of all earlier versions (BACKWARD). With a registry, it also checks the versions in the registry.',
    )
    .option('--json', 'print JSON for programs')
    .action((flags: { json?: boolean }) => checkAll(flags, io));
  withExamples(check, io, [
    ['schemas check', 'exit code 1 if a change is not compatible'],
    ['schemas check --json', 'for programs'],
  ]);
  const register = schemas
    .command('register')
    .summary('register them')
    .description(
      'Registers the newest schemas under <topic>-value. Sets a subject without a compatibility level to BACKWARD. Safe to repeat.',
    )
    .option('--json', 'print JSON for programs')
    .action((flags: { json?: boolean }) => registerAll(flags, io));
  withExamples(register, io, [['schemas register', 'before producers start']]);
}

type Subject = { subject: string; record: RecordName };

/** Asks the registry about each subject. Throws a usage error if no registry is set. */
async function registryOf(io: Io) {
  const config = kafkaConfig({ ...io, env: { KAFKA_BROKERS: 'unused:9092', ...io.env } });
  if (config.SCHEMA_REGISTRY_URL === '') return null;
  const [{ Registry }, { currentSchema }] = await Promise.all([
    import('../../../edges/avro/registry.ts'),
    import('../../../edges/avro/schema-files.ts'),
  ]);
  const registry = new Registry(config.SCHEMA_REGISTRY_URL);
  return {
    subjects: subjectsOf(config.KAFKA_TOPIC_PREFIX),
    inspect: ({ subject, record }: Subject): Promise<SubjectReport> =>
      registry.inspect(subject, currentSchema(record).schema),
    register: ({ subject, record }: Subject): Promise<number> =>
      registry.register(subject, currentSchema(record).schema),
  };
}

async function checkAll(flags: { json?: boolean }, io: Io): Promise<void> {
  const { checkCompatibility } = await import('../../../edges/avro/compatibility.ts');
  const history = checkCompatibility();
  const registry = await registryOf(io);
  const subjects: (Subject & SubjectReport)[] = [];
  for (const subject of registry?.subjects ?? [])
    subjects.push({ ...subject, ...(await (registry as NonNullable<typeof registry>).inspect(subject)) });
  if (flags.json) io.out(prettyJson({ history, subjects }));
  else {
    const paint = painter(io.colour);
    const rows = history.map(({ record, version, ok, error }) => [
      record,
      `${version}`,
      ok ? paint('green', 'compatible') : paint('red', error ?? 'no'),
    ]);
    io.out(table(['RECORD', 'VERSION', 'NEWEST'], rows, paint));
    const bySubject = subjects.map(({ subject, state, level }) => [subject, state, level ?? '']);
    if (registry) io.out(`\n${table(['SUBJECT', 'STATE', 'LEVEL'], bySubject, paint)}`);
  }
  const broken =
    history.filter(({ ok }) => !ok).length + subjects.filter(({ state }) => state === 'incompatible').length;
  if (broken > 0)
    throw cliError(
      'schema_incompatible',
      `${counted(broken, 'schema')} ${broken === 1 ? 'is' : 'are'} not compatible.`,
      'Add new fields with a default. Remove only fields that have a default.',
    );
}

async function registerAll(flags: { json?: boolean }, io: Io): Promise<void> {
  const registry = await registryOf(io);
  if (registry === null) throw usageError('SCHEMA_REGISTRY_URL is not set.');
  const done: { subject: string; id: number }[] = [];
  for (const subject of registry.subjects)
    done.push({ subject: subject.subject, id: await registry.register(subject) });
  if (flags.json) io.out(prettyJson({ subjects: done }));
  else
    io.out(
      table(
        ['SUBJECT', 'ID'],
        done.map(({ subject, id }) => [subject, String(id)]),
        painter(io.colour),
      ),
    );
}
