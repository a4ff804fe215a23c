import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { range, readFlags, WrongUse, wholeNumber } from '../../scripts/flags.ts';
import { packageRoot } from '../../src/stack/paths.ts';

describe('flags', () => {
  const FLAGS = { seed: { type: 'string' }, exit: { type: 'boolean' } } as const;

  test('are read, and what follows -- is left unchanged', () => {
    expect(readFlags(['--seed', '3', '--exit', '--', '--help', 'x'], FLAGS)).toEqual({
      values: { seed: '3', exit: true },
      words: [],
      rest: ['--help', 'x'],
      help: false,
    });
    expect(readFlags(['-h'], FLAGS).help).toBe(true);
  });

  test.each([
    [['--sed', '3'], "Unknown option '--sed'."],
    [['--seed'], "Option '--seed <value>' argument missing."],
    [['--exit=1'], "Option '--exit' does not take an argument."],
    [['word'], "Unexpected argument 'word'."],
  ])('%j is refused in one sentence', (args, sentence) => {
    expect(() => readFlags(args, FLAGS)).toThrow(new WrongUse(sentence));
  });

  test.each(['x', '', '-1', '1.5', '1e3', '0', '11', '9'.repeat(20)])('%j is no whole number from 1 to 10', (text) => {
    expect(() => wholeNumber('--seed', text, 1, 10)).toThrow(
      new WrongUse(`--seed takes a whole number from 1 to 10, not '${text}'.`),
    );
  });

  test.each(['5-1', '1', '1-', '-5', 'a-b', '1-2-3', '0-99999999'])('%j is no range', (text) => {
    expect(() => range('--seeds', text, 0, 2 ** 31)).toThrow(WrongUse);
  });

  test('a range includes both ends', () => {
    expect(range('--seeds', '1-10', 0, 100)).toEqual({ from: 1, to: 10 });
    expect(range('--seeds', '7-7', 0, 100)).toEqual({ from: 7, to: 7 });
  });
});

type Outcome = { code: number; out: string; err: string };

function run(script: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(packageRoot, script), ...args], (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

describe('the scripts', () => {
  test.each([
    ['scripts/start.ts', 'npm start', '--exit'],
    ['scripts/test.ts', 'npm test', '--only PART'],
    ['scripts/sim.ts', 'npm run sim', '--seeds FROM-TO'],
    ['scripts/chaos.ts', 'npm run chaos', '--seconds S'],
    ['bench/main.ts', 'npm run bench', '--quick'],
  ])('%s --help teaches its flags with an example, and does nothing else', async (script, name, flag) => {
    const { code, out, err } = await run(script, '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(flag);
    expect(out).toMatch(new RegExp(`^Examples:\\n {2}${name}`, 'm'));
  });

  test.each([
    ['scripts/start.ts', ['--exti'], "Unknown option '--exti'. See npm start -- --help."],
    [
      'scripts/test.ts',
      ['--only', 'units'],
      "Unknown part 'units': choose from checks, unit, simulation, integration, chaos.",
    ],
    ['scripts/sim.ts', ['--seed', 'x'], "--seed takes a whole number from 0 to 2147483647, not 'x'."],
    ['scripts/sim.ts', ['--seeds', '5-1'], '--seeds 5-1 is empty: write the smaller number first.'],
    ['scripts/sim.ts', ['--bug', 'toString'], "Unknown bug 'toString': choose from "],
    ['scripts/chaos.ts', ['--minutes', 'x'], "Unknown option '--minutes'. See npm run chaos -- --help."],
    ['scripts/chaos.ts', ['--faults', 'kill a joiner,rain'], "Unknown fault 'rain': choose from "],
    ['bench/main.ts', ['--runs', 'x'], "--runs takes a whole number from 1 to 999999999, not 'x'."],
  ])('%s refuses %j with one sentence and exit code 2', async (script, args, sentence) => {
    const { code, out, err } = await run(script, ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.startsWith(sentence)).toBe(true);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});
