import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StackInUse } from '../../src/stack/errors.ts';
import { markOf } from '../../src/stack/process/pids.ts';
import { changeState, ownerOf, readState, survivors, takeOwnership } from '../../src/stack/state.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rt-state-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('what is written is read, and a field that became undefined is gone', () => {
  changeState(dir, { source: 'local', ports: { kafka: 1, redis: 2 } });
  changeState(dir, { source: undefined, detached: true });
  expect(readState(dir)).toEqual({ detached: true, ports: { kafka: 1, redis: 2 } });
});

test('no state and a damaged one are an empty one', () => {
  expect(readState(join(dir, 'nowhere'))).toEqual({});
  writeFileSync(join(dir, 'state.json'), '{"source": "lo');
  expect(readState(dir)).toEqual({});
});

test('only the very process that was recorded counts as a survivor', () => {
  const me = { ...(markOf(process.pid) ?? { pid: 0, startedAt: '' }), port: 1 };
  expect(survivors({ kafka: me, redis: { ...me, startedAt: 'earlier' } })).toEqual([me]);
});

test('one live owner at a time', () => {
  const release = takeOwnership(dir);
  expect(ownerOf(dir)?.pid).toBe(process.pid);
  expect(() => takeOwnership(dir)).toThrow(StackInUse);
  release();
  expect(ownerOf(dir)).toBeUndefined();
  takeOwnership(dir)();
  expect(readdirSync(dir)).toEqual([]);
});

test.each([
  ['a dead one', JSON.stringify({ pid: process.pid, startedAt: 'an earlier boot/1' })],
  ['an unreadable one', ''],
])('the folder is taken over from %s', (_, content) => {
  writeFileSync(join(dir, 'owner.json'), content);
  takeOwnership(dir);
  expect(ownerOf(dir)?.pid).toBe(process.pid);
});
