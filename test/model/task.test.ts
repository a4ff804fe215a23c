import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isName } from '../../src/model/ids.ts';
import type { TaskCommand } from '../../src/model/records.ts';
import {
  backoffMs,
  contentHashOf,
  expiryOf,
  investigationIdOf,
  isDirect,
  isDoneWhenSent,
  taskIdOfInvestigation,
} from '../../src/model/task.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

const command = (change: Partial<TaskCommand> = {}): TaskCommand => ({
  action: 'TASK',
  oid: 'o',
  task_id: 't',
  task: 'os_version',
  selector: 'plat == windows',
  context: 'ctx',
  ttl: 60,
  issued_at: 1_000,
  issued_by: 'me',
  untask_selector: null,
  options: null,
  ...change,
});

describe('the content of a task', () => {
  it.each<Partial<TaskCommand>>([{ issued_at: 2_000 }, { issued_by: 'you' }])('is the same with %o', (change) => {
    expect(contentHashOf(command(change))).toBe(contentHashOf(command()));
  });

  it.each<Partial<TaskCommand>>([
    { task: 'os_processes' },
    { selector: 'plat == linux' },
    { context: 'other' },
    { context: null },
    { ttl: 61 },
    { options: '{"direct":true}' },
  ])('is different with %o', (change) => {
    expect(contentHashOf(command(change))).not.toBe(contentHashOf(command()));
  });

  it('is the same for the selectors null, "", blanks and a star', () => {
    const hashes = [null, '', '  ', '*', ' * '].map((selector) => contentHashOf(command({ selector })));
    expect(new Set(hashes).size).toBe(1);
  });

  it('does not let one field run into the next', () => {
    const [one, other] = [command({ task: 'ab', context: 'c' }), command({ task: 'a', context: 'bc' })];
    expect(contentHashOf(one)).not.toBe(contentHashOf(other));
  });
});

describe('a task', () => {
  it('expires its ttl after it was issued', () => {
    expect(expiryOf({ issued_at: 1_000, ttl: 60 })).toBe(61_000);
    expect(expiryOf({ issued_at: 1_000, ttl: 0 })).toBe(1_000);
  });

  it.each([
    ['restart', true],
    ['  reboot now', true],
    ['shutdown\t-f', true],
    ['upgrade_core', true],
    ['uninstall --is-confirmed', true],
    ['restarting', false],
    ['run restart', false],
    ['os_version', false],
    ['', false],
  ])('is done when sent if its first word stops the sensor: "%s" %s', (task, done) => {
    expect(isDoneWhenSent(command({ task }))).toBe(done);
  });

  it.each([
    [null, false],
    ['{"direct":true}', true],
    ['{"direct":"true"}', false],
    ['{}', false],
    ['null', false],
    ['not json', false],
  ])('is direct only if its options say so: %s', (options, direct) => {
    expect(isDirect({ options })).toBe(direct);
    expect(isDoneWhenSent(command({ options }))).toBe(direct);
  });

  it('that is direct keeps the context as its investigation id', () => {
    expect(investigationIdOf(command({ options: '{"direct":true}' }))).toBe('ctx');
    expect(investigationIdOf(command({ options: '{"direct":true}', context: null }))).toBe('');
  });

  it(`is named by its investigation id, with any context (seed ${seed})`, () => {
    const names = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);
    const contexts = fc.option(fc.oneof(fc.string(), fc.constantFrom('/', 'a/b', 'a/')), { nil: null });
    fc.assert(
      fc.property(names, contexts, (taskId, context) => {
        expect(isName(taskId)).toBe(true);
        const id = investigationIdOf(command({ task_id: taskId, context }));
        expect(taskIdOfInvestigation(id)).toBe(taskId);
        if (context) expect(id.startsWith(`${context}/`)).toBe(true);
      }),
      { seed },
    );
  });
});

describe('the delay before a redelivery', () => {
  it.each([
    [1, 30_000],
    [2, 60_000],
    [3, 120_000],
    [5, 480_000],
    [6, 600_000],
    [1_000_000, 600_000],
  ])('after attempt %i is %i ms', (attempt, ms) => {
    expect(backoffMs(attempt, 30_000, 600_000)).toBe(ms);
  });
});
