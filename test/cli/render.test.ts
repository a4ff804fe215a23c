import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedTask, TaskDetails } from '../../src/cli/api/answers.ts';
import { taskTable } from '../../src/cli/commands/tasks/list.ts';
import { taskText } from '../../src/cli/commands/tasks/show.ts';
import { painter, wantsColour } from '../../src/cli/io.ts';
import { activityLine } from '../../src/cli/text/activity.ts';
import { clip, visible } from '../../src/cli/text/table.ts';
import { NOW_MS } from './fixtures.ts';

const plain = painter(false);

const TASK: ListedTask = {
  task_id: '5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10',
  task: 'run --shell-command whoami',
  sensor_selector: 'plat == windows',
  context: 'audit-7',
  ttl: 3_600,
  created_at: NOW_MS - 60_000,
  expires_at: NOW_MS + 3_540_000,
  issued_by: 'key:demo',
  acknowledged_count: 2,
};

const DETAILS: TaskDetails = {
  ...TASK,
  state: 'pending',
  counts: { queued: 1, sent: 0, done: 2, failed: 0, expired: 0, removed: 0 },
  sensors: [{ sid: 'sensor-123-abc', hostname: 'web-1', state: 'done', attempt: 2, at: NOW_MS, reason: '' }],
};

describe('tables', () => {
  it('show a list of tasks', () => {
    expect(taskTable([TASK], NOW_MS, plain, 120)).toBe(
      [
        'TASK                                  COMMAND                     SELECTOR         EXPIRES IN  ACKED',
        '5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10  run --shell-command whoami  plat == windows  59m         2',
        '',
      ].join('\n'),
    );
  });

  it('cut commands and selectors to the width of the terminal, never ids', () => {
    const lines = taskTable([{ ...TASK, task: 'x'.repeat(500) }], NOW_MS, plain, 100).split('\n');
    expect(lines[1]).toContain(`${TASK.task_id}  xxx`);
    expect(lines[1]?.length).toBeLessThanOrEqual(100);
  });

  it('show one task with its counts that are not 0, and its sensors', () => {
    const text = taskText(DETAILS, NOW_MS, plain, 120);
    expect(text).toContain('context   audit-7\n');
    expect(text).toContain('expires   2026-01-01 00:59:00Z, in 59m\n');
    expect(text).toContain('sensors   1 queued, 2 done\n');
    expect(text).toMatch(/^sensor-123-abc +web-1 +done +2 +2026-01-01 00:00:00Z$/m);
  });
});

describe('what others wrote', () => {
  it('never reaches the terminal with control characters in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/\p{Cc}|\p{Cf}/u);
      }),
    );
    expect(visible('a\nb\x1b[31m')).toBe('a\\nb\\u{1b}[31m');
  });

  it('is cut by characters, and tells so', () => {
    expect(clip('🙂🙂🙂', 2)).toBe('🙂…');
    expect(clip('ab', 2)).toBe('ab');
  });
});

describe('a line of activity', () => {
  const done = { routing: { event_time: Date.UTC(2026, 0, 1, 12, 0, 1) }, event: { task_id: 't1', sid: 's1' } };

  it('says when, what, which task and which sensor', () => {
    expect(activityLine('task_done', done, plain)).toBe('12:00:01  acknowledged  t1  s1');
  });

  it('uses the names that a person knows', () => {
    const names = new Map([
      ['t1', 'whoami'],
      ['s1', 'web-1'],
    ]);
    expect(activityLine('task_done', done, plain, names)).toBe('12:00:01  acknowledged  whoami  web-1');
  });

  it('shows a further attempt, an error, and the content of a new task', () => {
    const line = (type: string, event: object) =>
      activityLine(type, { ...done, event: { ...done.event, ...event } }, plain);
    expect(line('task_sent', { attempt: 2 })).toMatch(/delivered {5}t1 {2}s1 {2}attempt 2$/);
    expect(line('task_failure', { error_code: 5 })).toMatch(/failed .*error 5$/);
    expect(line('add_task', { task: 'netstat', selector: '' })).toMatch(/queued .*t1 {2}netstat → \*$/);
  });

  it('shows an event that it does not know by its name', () => {
    expect(activityLine('task_moved', done, plain)).toContain('task_moved');
  });
});

describe('colour', () => {
  it('is for terminals, and NO_COLOR forbids it', () => {
    expect(wantsColour(true, {})).toBe(true);
    expect(wantsColour(false, {})).toBe(false);
    expect(wantsColour(true, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour(true, { NO_COLOR: '' })).toBe(true);
    expect(wantsColour(true, { TERM: 'dumb' })).toBe(false);
  });

  it('is left out entirely where it is not wanted', () => {
    expect(activityLine('task_done', { routing: {}, event: {} }, painter(false))).not.toContain('\x1b');
    expect(activityLine('task_done', { routing: {}, event: {} }, painter(true))).toContain('\x1b[32m');
  });
});
