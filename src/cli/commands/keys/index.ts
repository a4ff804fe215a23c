/** `keys`: creates, lists and revokes API keys through Kafka. A key is shown once. Only its hash is stored. */
import type { Command } from 'commander';
import { RIGHTS } from '../../../orgs/rights.ts';
import type { Io } from '../../io.ts';
import { withOperator } from '../../kafka/operator.ts';
import { type JsonFlag, type RowFlags, withExamples, withRows } from '../../options.ts';
import { type CreateFlags, createKey } from './create.ts';
import type { KeyPlace } from './find.ts';
import { listKeys } from './list.ts';
import { revokeKey } from './revoke.ts';

export function registerKeys(program: Command, io: Io): void {
  const keys = program
    .command('keys')
    .summary('create, list and revoke API keys')
    .description('Manages API keys. These commands use Kafka and need no API key.');
  withExamples(keys, io, [['keys list', 'all keys']]);
  registerCreate(keys, io);
  registerList(keys, io);
  registerRevoke(keys, io);
}

/** `--oid` or `--orgs`. */
const withPlace = (command: Command): Command =>
  command.option('--oid <uuid>', 'the org').option('--orgs <uuids>', 'several orgs, separated by commas');

function registerCreate(keys: Command, io: Io): void {
  const command = withPlace(
    keys
      .command('create')
      .summary('make a key')
      .description(
        'Creates a key and prints it. It cannot be shown again. With --uid, it is a user key, which can have access to several orgs.',
      ),
  )
    .option('--uid <uid>', 'create a user key of this user; clients send the uid with the key')
    .option('--name <name>', 'name of the key, unique in these orgs (default: generated)')
    .option('--perms <rights>', `rights, separated by commas (default: all: ${RIGHTS.join(', ')})`)
    .option('--expires <when>', 'lifetime (90d, 12h) or last day (2027-01-31) (default: unlimited)')
    .option('--json', 'print JSON for programs')
    .action((flags: CreateFlags) => createKey(flags, io));
  withExamples(command, io, [
    ['keys create --oid 7e41e07b-c44c-43a3-b78d-41f34204789d --name ci --perms sensor.task,sensor.list', 'for one org'],
    ['keys create --orgs $A,$B --uid alice --expires 90d', 'a user key for two orgs'],
    ['keys create --oid $OID --json | jq -r .key', 'for programs'],
  ]);
}

function registerList(keys: Command, io: Io): void {
  const command = withPlace(
    keys.command('list').summary('list keys').description('Lists the keys of one org, of several orgs, or of all.'),
  )
    .option('--uid <uid>', 'only keys of this user')
    .option('--json', 'print JSON for programs');
  withRows(command).action((flags: KeyPlace & RowFlags) =>
    withOperator(io, (operator) => listKeys(operator, flags, io)),
  );
  withExamples(command, io, [
    ['keys list --oid $OID', 'with rights, expiry and, where REDIS_URL is set, last use'],
    ['keys list --output csv', 'for spreadsheets'],
    ['keys list --uid alice', 'all keys of a user'],
  ]);
}

function registerRevoke(keys: Command, io: Io): void {
  const command = withPlace(
    keys
      .command('revoke')
      .summary('revoke a key')
      .description('Revokes a key. Its tokens and open streams end within seconds, in every process.'),
  )
    .argument('<name>', 'the name of the key')
    .option('--uid <uid>', "a user's key, in all orgs that have it under this name")
    .option('--json', 'print JSON for programs')
    .action((name: string, flags: KeyPlace & JsonFlag) => revokeKey(name, flags, io));
  withExamples(command, io, [
    ['keys revoke ci --oid $OID', 'in one org'],
    ['keys revoke laptop --uid alice', 'in every org'],
  ]);
}
