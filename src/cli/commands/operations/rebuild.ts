/** `rebuild`: rebuilds the projection from Kafka, and shows the progress. */

import type { Command } from 'commander';
import { isUuid } from '../../../model/ids.ts';
import { progressOf, type RebuildProgress } from '../../../operations/rebuild-progress.ts';
import { counted } from '../../../text/counted.ts';
import { cliError, usageError } from '../../errors.ts';
import { type Io, json, painter } from '../../io.ts';
import { type Installation, withInstallation } from '../../kafka/projection.ts';
import { withExamples } from '../../options.ts';
import { progressBar } from '../../text/progress.ts';

type Flags = { oid?: string; yes?: boolean; watch?: boolean; json?: boolean };

const LOOK_MS = 500;

export function registerRebuild(program: Command, io: Io): void {
  const command = program
    .command('rebuild')
    .summary('rebuild Redis from the log')
    .description(
      'Deletes the data of all orgs, or of one, from Redis. The running projectors then rebuild it from Kafka. They also do so by themselves after a ' +
        'loss of Redis. During a rebuild, nothing is dispatched and the API answers 503. With --watch alone, the command only shows the progress of a rebuild.',
    )
    .option('--oid <uuid>', 'only this org (default: all)')
    .option('--yes', 'confirm; without it nothing is deleted')
    .option('--watch', 'show the progress until the rebuild is complete')
    .option('--json', 'print JSON for programs; with --watch, one object per line')
    .action((flags: Flags) => withInstallation(io, (installation) => rebuild(installation, flags, io)));
  withExamples(command, io, [
    ['rebuild --watch', 'progress of the running rebuild'],
    ['rebuild --yes --watch', 'delete everything, and watch the rebuild'],
  ]);
}

async function rebuild(installation: Installation, flags: Flags, io: Io): Promise<void> {
  if (flags.oid !== undefined && !isUuid(flags.oid)) throw usageError(`'${flags.oid}' is not an org id.`);
  const oids = installation.orgs.table.oids().filter((oid) => flags.oid === undefined || oid === flags.oid);
  if (oids.length === 0) throw usageError('No such org was ever subscribed.', 'Check --oid, and KAFKA_TOPIC_PREFIX.');
  if (!flags.yes && !flags.watch)
    throw usageError(
      `This deletes the data of ${counted(oids.length, 'org')} from Redis. Nothing is dispatched until the rebuild is complete.`,
      'Confirm with --yes. --watch alone shows a running rebuild.',
    );
  if (flags.yes) {
    const { wipeOrgs } = await import('../../../edges/redis/wipe.ts');
    await wipeOrgs(installation.redis, oids);
    if (flags.json) io.out(json({ type: 'forgotten', orgs: oids.length }));
    else
      io.out(
        `Forgotten: ${counted(oids.length, 'org')}. The projectors read ${oids.length === 1 ? 'it' : 'them'} again.\n`,
      );
  }
  if (flags.watch) await watch(installation, oids, flags, io);
}

async function watch(installation: Installation, oids: string[], flags: Flags, io: Io): Promise<void> {
  const bar = progressBar(io, 'rebuilding');
  for (;;) {
    const now = await look(installation, oids);
    if (flags.json) io.out(json({ type: 'progress', ...now }));
    bar.show(
      now.done,
      now.total,
      `${now.usable} of ${counted(now.orgs, 'org')}, ${counted(now.total - now.done, 'record')} left`,
    );
    if (now.usable === now.orgs) break;
    if (io.stopped.aborted)
      throw cliError('stopped', 'The rebuild continues.', 'Show it again with {rt} rebuild --watch.');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  bar.end();
  if (!flags.json) io.out(`${painter(io.colour)('green', 'Complete:')} ${counted(oids.length, 'org')}.\n`);
}

async function look({ projection, ends }: Installation, oids: string[]): Promise<RebuildProgress> {
  const [statuses, commands, events] = await Promise.all([
    projection.status(oids),
    ends('commands'),
    ends('taskEvents'),
  ]);
  return progressOf(statuses, commands, events);
}
