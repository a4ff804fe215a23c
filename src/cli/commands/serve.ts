/** `serve`: runs roles of the server until SIGTERM or Ctrl-C, then stops them in order. */
import type { Command } from 'commander';
import { readConfig } from '../../config.ts';
import { usageError } from '../errors.ts';
import { type Io, untilStopped } from '../io.ts';
import { logTo } from '../kafka/kafka.ts';
import { withExamples } from '../options.ts';

/** All roles. */
export const ROLES = ['api', 'projector', 'joiner', 'responder'] as const;
export type Role = (typeof ROLES)[number];

export function registerServe(program: Command, io: Io): void {
  const command = program
    .command('serve')
    .summary('run the server')
    .description(
      `Runs roles of the server in one process: ${ROLES.join(', ')}. Start more processes of a role to scale out. Settings come from the environment.`,
    )
    .option('--roles <names>', 'roles, separated by commas (default: all)')
    .option('--json', 'log as JSON (always on)')
    .action((flags: { roles?: string }) => serve(rolesOf(flags.roles), io));
  withExamples(command, io, [
    ['serve', 'all roles in one process'],
    ['serve --roles joiner', 'one more joiner'],
    ['serve --roles api,projector', 'two roles'],
  ]);
}

/** Throws a usage error for an unknown role, and for no role. */
export function rolesOf(text: string | undefined): Role[] {
  if (text === undefined) return [...ROLES];
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !(ROLES as readonly string[]).includes(name));
  if (wrong !== undefined) {
    throw usageError(wrong === '' ? 'No role is given.' : `Unknown role '${wrong}'.`, `Roles: ${ROLES.join(', ')}.`);
  }
  return ROLES.filter((role) => names.includes(role));
}

async function serve(roles: Role[], io: Io): Promise<void> {
  const config = readConfig(io.env);
  const log = logTo(config.LOG_LEVEL);
  const { startServer } = await import('../../server.ts');
  const server = await startServer(config, roles, log, io.stopped);
  await untilStopped(io.stopped);
  await server.stop();
}
