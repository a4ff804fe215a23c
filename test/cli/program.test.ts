import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT_MEANINGS } from '../../src/cli/codes.ts';
import { rolesOf } from '../../src/cli/commands/serve.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { version } from '../../src/version.ts';
import { makeIo, run } from './fixtures.ts';

const pathsOf = (command: Command, path: string[]): string[][] => [
  ...(path.length > 0 ? [path] : []),
  ...command.commands.flatMap((sub) => pathsOf(sub, [...path, sub.name()])),
];

const PATHS = pathsOf(buildProgram(makeIo()), []);

describe('rt --help', () => {
  it('lists every command and every exit code', async () => {
    const { exitCode, out } = await run(['--help']);
    expect(exitCode).toBe(0);
    for (const [name] of PATHS) expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    for (const [code, meaning] of EXIT_MEANINGS) expect(out).toContain(`${code}  ${meaning}`);
  });

  it('is shown when nothing is asked for', async () => {
    expect(await run([])).toEqual(await run(['--help']));
  });

  it.each(PATHS.map((path) => [path.join(' '), path] as const))('works for %s, with an example', async (name, path) => {
    const { exitCode, out, err } = await run([...path, '--help']);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toContain(`Usage: rt ${name}`);
    expect(out).toMatch(new RegExp(`Examples:\\n {2}# .+\\n {2}rt ${name}`));
  });

  it('speaks of the program by the name it was called by', async () => {
    const { out } = await run(['list', '--help'], { name: 'reliable-tasking' });
    expect(out).toContain('reliable-tasking list --sid');
  });
});

describe('the command line', () => {
  it('prints its version', async () => {
    expect((await run(['--version'])).out.trim()).toBe(version());
  });

  it.each([
    [['lst'], /Did you mean list/],
    [['list', '--colour'], /Unknown option/],
    [['list', '--limit', '0'], /whole number from 1/],
    [['list', '--state', 'gone'], /Allowed choices are ended/],
    [['task'], /Missing required argument/],
    [['task', 'x', '--ttl', 'soon'], /Write seconds/],
    [['task', 'x', '--sid', 'a', '--tag', 'b'], /cannot be used with/],
    [['task', 'x', '--selector', ''], /It is empty\. Use \* for all sensors/],
    [['untask', '--selector', ' '], /It is empty\. Use \* for all sensors/],
    [['untask'], /No task and no target/],
    [['serve', '--roles', 'api,cook'], /Unknown role 'cook'/],
    [['fleet', '--oid', 'x'], /UUID/],
    [['fleet', '--sensors', '2', '--offline', '3'], /larger than/],
    [['fleet', '--sid-for-first', 'a b'], /is not a sid/],
    [['fleet', '--rate', '-1'], /rate/],
    [['completion', 'tcsh'], /Allowed choices/],
    [['fleet'], /KAFKA_BROKERS/],
    [['topics', 'create'], /KAFKA_BROKERS/],
    [['serve'], /KAFKA_BROKERS/],
  ])('refuses %j with exit code 2 and a sentence, and no stack', async (args, sentence) => {
    const { exitCode, out, err } = await run(args);
    expect(exitCode).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(sentence);
    expect(err).not.toMatch(/\n {4}at /);
  });

  it.each([
    [['lst'], /^See rt --help\.$/m],
    [['stack', 'upp'], /Did you mean up.*\nSee rt stack --help\.$/m],
    [['keys', 'create', '--nme', 'x'], /Did you mean --name.*\nSee rt keys create --help\.$/m],
    [['list', '--limit', '0'], /^See rt list --help\.$/m],
    [['why', 'a'], /^Usage: rt why \[options\] <task-id> <sid>\. See rt why --help\.$/m],
    [['preview', 'plat', '==', 'linux'], /^Quote the selector: rt preview 'plat == windows'\./m],
    [['explain', 'plat', '==', 'linux', 's'], /^Quote the selector: rt explain 'plat == windows' SID\./m],
    [['task', 'file_get', '-f', '/etc/passwd'], /^Put -- before a command line with options .* See rt task --help\.$/m],
  ])('tells what to do about %j', async (args, hint) => {
    const { exitCode, err } = await run(args);
    expect(exitCode).toBe(2);
    expect(err).toMatch(hint);
  });

  it.each([['-h'], ['help']])('shows help for %s, and for one command', async (word) => {
    expect(await run([word])).toEqual(await run(['--help']));
    const args = word === 'help' ? ['help', 'task'] : ['task', word];
    expect(await run(args)).toEqual(await run(['task', '--help']));
  });

  it.each([
    [['task', 'help'], 'rt task --help', 'rt task -- help'],
    [['task', 'help', '--tag', 'x'], 'rt task --help', 'rt task -- help'],
    [['untask', 'help'], 'rt untask --help', 'rt untask -- help'],
    [['preview', 'help'], 'rt preview --help', 'rt preview -- help'],
    [['show', 'help'], 'rt show --help', 'rt show -- help'],
    [['sensors', 'show', 'help'], 'rt sensors show --help', 'rt sensors show -- help'],
  ])('does not take help for an argument: %j', async (args, ...hints) => {
    const { exitCode, err } = await run(args, { fetch: () => expect.fail('it asked the server') });
    expect(exitCode).toBe(2);
    for (const hint of hints) expect(err).toContain(hint);
  });

  it.each([[['task', '--', 'help']], [['task', '--sid', 'help', '--', 'help', 'me']], [['task', 'help me']]])(
    'sends help where the word is meant: %j',
    async (args) => {
      const sent: unknown[] = [];
      const fetch = async (_: unknown, init?: RequestInit) => {
        sent.push(new URLSearchParams(String(init?.body)).get('data'));
        return Response.json(sent.length === 1 ? { jwt: 't' } : { data: { task_id: 't-1' } });
      };
      expect(await run(args, { fetch: fetch as typeof globalThis.fetch })).toMatchObject({ exitCode: 0 });
      expect(String(sent[1])).toMatch(/"task":"help( me)?"/);
    },
  );

  it('shows the help of a group that is asked for nothing, as a wrong use', async () => {
    const { exitCode, err } = await run(['topics']);
    expect(exitCode).toBe(2);
    expect(err).toContain('Usage: rt topics');
  });
});

describe('rolesOf', () => {
  it('is every role unless some are named, in their order', () => {
    expect(rolesOf(undefined)).toEqual(['api', 'projector', 'joiner', 'responder']);
    expect(rolesOf('joiner, api')).toEqual(['api', 'joiner']);
  });
});

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

describe('a parent that goes away', () => {
  it('ends a command that waits for an answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const env = { ...process.env, SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}` };
    const child = fork(main, ['schemas', 'check'], { env, stdio: 'ignore' });
    try {
      const [socket] = (await once(silent, 'connection')) as [Socket];
      child.disconnect();
      const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(6_000) });
      expect(code).toBe(1);
      socket.destroy();
    } finally {
      child.kill('SIGKILL');
      silent.close();
    }
  });
});

describe('a reader that goes away', () => {
  it.each([
    ['of the output', '("$0" "$1" completion fish; echo "ended $?" >&3) | head -1 >&2', 0],
    ['of both', '("$0" "$1" stack 2>&1; echo "ended $?" >&3) | true', 2],
  ])('%s makes no error of its own', (_, line, exitCode) => {
    const { stdout, stderr } = spawnSync('bash', ['-c', `exec 3>&1; ${line}`, process.execPath, main], {
      encoding: 'utf8',
    });
    expect(stdout).toBe(`ended ${exitCode}\n`);
    expect(stderr).not.toMatch(/EPIPE|Error/);
  });
});
