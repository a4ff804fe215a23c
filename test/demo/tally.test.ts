import { describe, expect, it } from 'vitest';
import { makeCast } from '../../src/demo/cast.ts';
import { Tally } from '../../src/demo/tally.ts';
import { demoTasks } from '../../src/demo/tasks.ts';

const cast = makeCast();

/** A demonstration in which everything goes well, up to the changes that a test makes. */
function goodRun({ sentBefore = cast.online, loseAck = '', listExpired = false } = {}) {
  const tally = new Tally(cast);
  const tasks = demoTasks(cast).map((task, n) => ({ ...task, taskId: `t${n}` }));
  const waiting = tasks.filter(({ fate }) => fate === 'pending');
  const tell = (type: string, sensors: typeof cast.all) => {
    for (const task of waiting)
      for (const sensor of sensors.filter(task.matches)) tally.note(type, task.taskId, sensor.sid);
  };
  for (const task of tasks) {
    tally.add(task);
    tally.note('add_task', task.taskId, undefined);
    if (task.fate === 'untasked') tally.note('task_removed', task.taskId, undefined);
  }
  tell('task_sent', sentBefore);
  tally.connectsBegin();
  tell('task_sent', cast.returning);
  tell(
    'task_done',
    [...cast.online, ...cast.returning].filter(({ sid }) => sid !== loseAck),
  );
  for (const { taskId, fate } of tasks) if (fate === 'expires') tally.note('task_expired', taskId, undefined);
  tally.noteList((listExpired ? tasks : waiting).map(({ taskId }) => taskId));
  return { tally, tasks };
}

const row = (tally: Tally, what: string) => tally.rows().find((candidate) => candidate.what === what);

describe('the tally of the demonstration', () => {
  it('is complete when all was seen, with something expected in every row that counts successes', () => {
    const { tally } = goodRun();
    expect(tally.complete()).toBe(true);
    for (const name of ['queued', 'delivered at once', 'delivered after a connect', 'acknowledged']) {
      expect(row(tally, name)?.expected).toBeGreaterThan(0);
    }
    expect(row(tally, 'expired undelivered')).toMatchObject({ expected: 1, seen: 1 });
    expect(row(tally, 'untasked before delivery')).toMatchObject({ expected: 1, seen: 1 });
  });

  it('counts a pair once, however often it is told', () => {
    const { tally } = goodRun();
    const before = tally.rows();
    tally.note('task_sent', 't4', cast.online[0]?.sid);
    tally.note('task_done', 't4', cast.online[0]?.sid);
    expect(tally.rows()).toEqual(before);
  });

  it('counts a delivery that was repeated, each attempt once', () => {
    const { tally } = goodRun();
    for (const attempt of [2, 2, 3]) tally.note('task_sent', 't4', cast.online[0]?.sid, attempt);
    tally.note('task_sent', 'old', cast.online[0]?.sid, 2);
    expect(row(tally, 'delivered again')).toMatchObject({ expected: 0, seen: 2 });
    expect(tally.complete()).toBe(false);
  });

  it('leaves out tasks that are not of this run', () => {
    const { tally } = goodRun();
    tally.note('task_sent', 'old', cast.away[0]?.sid);
    tally.note('task_failure', 'old', cast.away[0]?.sid);
    expect(tally.complete()).toBe(true);
  });

  it('misses an acknowledgement that is not seen', () => {
    const { tally } = goodRun({ loseAck: cast.online[3]?.sid ?? '' });
    expect(tally.complete()).toBe(false);
    expect(row(tally, 'acknowledged')?.seen).toBeLessThan(row(tally, 'acknowledged')?.expected ?? 0);
  });

  it('does not take a delivery after the connects for one at once', () => {
    const { tally } = goodRun({ sentBefore: [] });
    tally.note('task_sent', 't4', cast.online[0]?.sid);
    expect(row(tally, 'delivered at once')?.seen).toBe(0);
  });

  it('does not count as undelivered what was sent to anybody', () => {
    const { tally, tasks } = goodRun();
    const expiring = tasks.find(({ fate }) => fate === 'expires')?.taskId ?? '';
    tally.note('task_sent', expiring, cast.away[0]?.sid);
    expect(row(tally, 'expired undelivered')?.seen).toBe(0);
    expect(row(tally, 'sent to offline sensors')?.seen).toBe(1);
  });

  it('sees what should have left the list', () => {
    expect(goodRun({ listExpired: true }).tally.complete()).toBe(false);
  });

  it('can be asked about some rows alone', () => {
    const { tally } = goodRun({ loseAck: cast.online[3]?.sid ?? '' });
    expect(tally.complete('queued', 'delivered at once')).toBe(true);
    expect(tally.complete('acknowledged')).toBe(false);
  });
});
