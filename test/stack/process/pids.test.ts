import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { endMarked, isAlive, markOf, startTimeFromStat } from '../../../src/stack/process/pids.ts';

let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

function startChild(): number {
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  return child.pid ?? 0;
}

test('the start time is read past a program name with blanks and brackets', () => {
  const stat = '4711 (tricky) (name x) S 1 4711 4711 0 -1 4194560 1 0 0 0 5 6 7 8 20 0 11 0 987654 1234 99';
  expect(startTimeFromStat(stat)).toBe('987654');
  expect(startTimeFromStat(stat.replace(') S ', ') Z '))).toBeUndefined();
});

test('a process is alive until it ends, and then it is not', async () => {
  const mark = markOf(startChild());
  expect(mark !== undefined && isAlive(mark)).toBe(true);
  child?.kill('SIGKILL');
  await once(child as ChildProcess, 'exit');
  expect(mark !== undefined && isAlive(mark)).toBe(false);
});

test('a stranger that got the pid is left alone', async () => {
  const pid = startChild();
  await endMarked({ pid, startedAt: 'another boot/1' }, 100);
  expect(markOf(pid)).toBeDefined();
});

test('one that ignores SIGTERM is ended all the same', async () => {
  child = spawn(process.execPath, [
    '-e',
    "process.on('SIGTERM', () => {}); console.log('on'); setInterval(() => {}, 1000)",
  ]);
  await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  const mark = markOf(child.pid ?? 0);
  if (mark === undefined) throw new Error('the child did not start');
  await endMarked(mark, 100);
  expect(isAlive(mark)).toBe(false);
});
