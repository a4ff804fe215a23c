import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completionScript, SHELLS } from '../../src/cli/completion.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { makeIo } from './fixtures.ts';

const script = (shell: (typeof SHELLS)[number]) => completionScript(buildProgram(makeIo()), shell);

/** What bash offers when the last of `words` is to be completed. */
function offered(words: string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _rt; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const done = spawnSync('bash', ['-c', `${script('bash')}\n${ask}`], { encoding: 'utf8' });
  expect(done.stderr).toBe('');
  return done.stdout.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  it.each(SHELLS)('knows every command and its options in %s', (shell) => {
    for (const word of ['untask', 'topics', 'create', 'idempotency-key']) expect(script(shell)).toContain(word);
  });

  it('offers the values of what has a few, and leaves any other value to files', () => {
    expect(offered(['rt', 'list', '--output', ''])).toEqual(['table', 'csv']);
    expect(offered(['rt', 'list', '--output', 'csv', '--lim'])).toEqual(['--limit']);
    expect(offered(['rt', 'completion', ''])).toEqual(['bash', 'zsh', 'fish', '--help']);
    expect(offered(['rt', 'selector', 'eval', '--sensors', ''])).toEqual([]);
    expect(script('fish')).toMatch(/_at '\\''list'\\''' -l output -x -a 'table csv' /);
    expect(script('fish')).toMatch(/_at '\\''selector eval'\\''' -l sensors -r -F /);
    expect(script('zsh')).toContain("'list --output') compadd -- table csv; return ;;");
    expect(script('zsh')).toContain("'selector eval --sensors') _files; return ;;");
  });

  it('offers commands, subcommands and options in bash', () => {
    expect(offered(['rt', 'un'])).toEqual(['untask']);
    expect(offered(['rt', 'topics', 'c'])).toEqual(['create']);
    expect(offered(['rt', 'task', '--ta'])).toEqual(['--tag']);
    expect(offered(['rt', 'task', 'os_version', '--se'])).toEqual(['--selector']);
    expect(offered(['rt', 'keys', 'list', '--li'])).toEqual([]);
    expect(offered(['rt', 'list', '--li'])).toEqual(['--limit']);
  });
});
