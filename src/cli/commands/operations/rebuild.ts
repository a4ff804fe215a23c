/** `rebuild`: has the projection read anew from Kafka, and shows how far that is. */

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
    .summary('bring Redis back from the log')
    .description(
      'Forgets what Redis has of all orgs, or one, so that the projectors that run read it anew from Kafka; they do that by themselves after any ' +
        'loss of Redis. Meanwhile nothing is dispatched, and the API answers 503. With --watch alone it only shows how far a rebuild is.',
    )
    .option('--oid <uuid>', 'this org alone (default: all)')
    .option('--yes', 'do it; without it nothing is forgotten')
    .option('--watch', 'show the progress until all is there')
    .option('--json', 'print JSON for programs, with --watch one object a line')
    .action((flags: Flags) => withInstallation(io, (installation) => rebuild(installation, flags, io)));
  withExamples(command, io, [
    ['rebuild --watch', 'how far the rebuild that is under way is'],
    ['rebuild --yes --watch', 'forget everything, and watch it come back'],
  ]);
}

async function rebuild(installation: Installation, flags: Flags, io: Io): Promise<void> {
  if (flags.oid !== undefined && !isUuid(flags.oid)) throw usageError(`'${flags.oid}' is no org id.`);
  const oids = installation.orgs.table.oids().filter((oid) => flags.oid === undefined || oid === flags.oid);
  if (oids.length === 0)
    throw usageError('There is no such org that was ever subscribed.', 'Check --oid, and KAFKA_TOPIC_PREFIX.');
  if (!flags.yes && !flags.watch)
    throw usageError(
      `That would forget what Redis has of ${counted(oids.length, 'org')}; until it is back nothing is dispatched.`,
      'Do it with --yes; --watch alone shows a rebuild that is under way.',
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
    if (io.stopped.aborted) throw cliError('stopped', 'The rebuild goes on.', '{rt} rebuild --watch shows it again.');
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
