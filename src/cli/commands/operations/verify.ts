/** `verify`: compares Redis with the log, while everything runs. */

import type { Command } from 'commander';
import type { Tail } from '../../../edges/kafka/tail.ts';
import { VERIFIED_TOPICS, type VerifiedTopic } from '../../../operations/log-fold.ts';
import { type Found, Verification } from '../../../operations/verify.ts';
import type { OrgStatus } from '../../../projector/projection.ts';
import { counted } from '../../../text/counted.ts';
import type { TopicKey } from '../../../topics.ts';
import { cliError, usageError } from '../../errors.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { type Installation, withInstallation } from '../../kafka/projection.ts';
import { wholeNumber, withExamples } from '../../options.ts';
import { progressBar } from '../../text/progress.ts';
import { clip, table } from '../../text/table.ts';

type Flags = { oid?: string; settle: number; json?: boolean };

type Ends = ReadonlyMap<VerifiedTopic, ReadonlyMap<number, { low: number; high: number }>>;

const LOOK_AGAIN_MS = 500;
const SHOWN = 100;

export function registerVerify(program: Command, io: Io): void {
  const command = program
    .command('verify')
    .summary('compare Redis with the log')
    .description(
      'Reads the topics into memory and compares them with Redis, key by key, while everything runs. Prints each difference. It does not compare data that the log ' +
        'does not determine (claims in flight, suppression counts, key use): see the table in docs/failures.md. It changes ' +
        'nothing. It uses KAFKA_BROKERS, REDIS_URL and the other settings of the server.',
    )
    .option('--oid <uuid>', 'only this org (default: all)')
    .option('--settle <seconds>', 'how long a difference may last before it is reported', wholeNumber(0, 3_600), 15)
    .option('--json', 'print JSON for programs')
    .action((flags: Flags) => withInstallation(io, (installation) => verify(installation, flags, io)));
  withExamples(command, io, [
    ['verify', 'all orgs; exit code 1 if there is a difference'],
    ['verify --oid 7e41e07b-c44c-43a3-b78d-41f34204789d --json', 'one org, for programs'],
  ]);
}

async function verify(installation: Installation, flags: Flags, io: Io): Promise<void> {
  const { config, orgs, projection, kept, decode, stored } = installation;
  const oids = orgs.table.oids().filter((oid) => flags.oid === undefined || oid === flags.oid);
  if (oids.length === 0) throw usageError('No such org was ever subscribed.', 'Check --oid, and KAFKA_TOPIC_PREFIX.');
  const tails = new Map<TopicKey, Tail>();
  const ends = new Map(
    await Promise.all(VERIFIED_TOPICS.map(async (topic) => [topic, await installation.ends(topic)] as const)),
  );
  const verification = new Verification({
    projection,
    kept,
    catchUp: async () => {
      await Promise.all([...tails.values()].map((tail) => tail.caughtUp()));
    },
    first: (topic) =>
      new Map([...(ends.get(topic as VerifiedTopic) ?? [])].map(([partition, { low }]) => [partition, low])),
    reached: (topic) => tails.get(topic)?.positions() ?? new Map(),
    decode,
    stored,
    prefix: config.KAFKA_TOPIC_PREFIX,
    retentionMs: config.ENDED_RETENTION_SECONDS * 1_000,
    rules: { orgs: orgs.table, ttlMaxSeconds: config.TTL_MAX_SECONDS, taskMaxBytes: config.TASK_MAX_BYTES },
    nowMs: io.nowMs,
  });
  try {
    await readAll(installation, verification, ends, tails, io);
    await verification.readNames(oids);
    const statuses = await usable(projection, oids);
    const bar = progressBar(io, 'comparing');
    let found: Found[] = [];
    for (const [i, [oid, status]] of [...statuses].entries()) {
      bar.show(i, statuses.size);
      found.push(...(await verification.compareOrg(oid, status)));
    }
    const until = io.nowMs() + flags.settle * 1_000;
    while (found.length > 0 && io.nowMs() < until && !io.stopped.aborted) {
      bar.show(0, 1, `${found.length} differ; checking again`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      found = await verification.again(found, await usable(projection, oids));
    }
    bar.end();
    report(verification, statuses.size, found, flags, io);
  } finally {
    await Promise.all([...tails.values()].map((tail) => tail.stop()));
  }
}

/** Reads all topics to their current ends, and follows them from then on. */
async function readAll(
  installation: Installation,
  verification: Verification,
  ends: Ends,
  tails: Map<TopicKey, Tail>,
  io: Io,
): Promise<void> {
  const total = [...ends.values()]
    .flatMap((end) => [...end.values()])
    .reduce((sum, { low, high }) => sum + high - low, 0);
  const bar = progressBar(io, 'reading the log');
  let read = 0;
  for (const topic of VERIFIED_TOPICS) {
    const tail = await installation.follow(topic, async (records) => {
      await verification.log.take(topic, records);
      read += records.length;
      bar.show(Math.min(read, total), total);
    });
    tails.set(topic, tail);
    await tail.caughtUp();
  }
  bar.end();
}

async function usable(projection: Installation['projection'], oids: string[]): Promise<Map<string, OrgStatus>> {
  const statuses = await projection.status(oids);
  const missing = oids.filter((_, i) => !statuses[i]?.usable);
  if (missing.length > 0)
    throw cliError(
      'rebuilding',
      `The projection of ${counted(missing.length, 'org')} is being rebuilt, or no projector runs.`,
      'See {rt} rebuild --watch.',
    );
  return new Map(oids.map((oid, i) => [oid, statuses[i] as OrgStatus]));
}

function report({ compared }: Verification, orgs: number, found: readonly Found[], flags: Flags, io: Io): void {
  const differences = found.flatMap((one) => one.differences);
  if (flags.json) io.out(prettyJson({ orgs, compared, differences }));
  else {
    const paint = painter(io.colour);
    const rows = differences.slice(0, SHOWN).map(({ key, redis, log }) => [key, clip(redis, 60), clip(log, 60)]);
    if (rows.length > 0) io.out(table(['KEY', 'REDIS', 'LOG'], rows, paint));
    if (differences.length > SHOWN)
      io.err(`Not shown: ${counted(differences.length - SHOWN, 'difference')}. --json prints all.\n`);
    if (rows.length === 0)
      io.out(
        `${paint('green', 'Redis matches the log:')} ${counted(orgs, 'org')}, ${counted(compared.tasks, 'task')}, ${counted(compared.deliveries, 'delivery', 'deliveries')}, ${counted(compared.sensors, 'sensor')}, ` +
          `${counted(compared.connections, 'connection')}, ${counted(compared.responses, 'response')}, ${counted(compared.minutes, 'minute')}.\n`,
      );
  }
  if (differences.length > 0)
    throw cliError(
      'differences',
      `${counted(differences.length, 'difference')}.`,
      'Run {rt} rebuild to rebuild Redis from the log.',
    );
}
