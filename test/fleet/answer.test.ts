import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerTo, FEW_MISHAPS, NO_MISHAPS } from '../../src/fleet/answer.ts';
import { REPLYING_COMMANDS } from '../../src/fleet/replies.ts';
import { dispatch, SENSOR } from './fixtures.ts';

const plain = { seed: 1, shares: NO_MISHAPS };
const typeOf = (task: string) => answerTo(dispatch({ task }), SENSOR, plain, 2_000)?.event.event_type;

describe('the answer of a simulated sensor', () => {
  it.each([
    ['run --shell-command whoami', 'RECEIPT'],
    ['put --payload-name x', 'RECEIPT'],
    ['os_version', 'OS_VERSION_REP'],
    ['  netstat ', 'NETSTAT_REP'],
    ['dir_list / *', 'DIR_LIST_REP'],
    ['file_get -f /etc/passwd', 'FILE_GET_REP'],
    ['mem_map --pid 4', 'MEM_MAP_REP'],
    ['constructor', 'RECEIPT'],
    ['', 'RECEIPT'],
  ])('to %j is %s', (task, type) => expect(typeOf(task)).toBe(type));

  it('is of a type of its own for every command of the table', () => {
    for (const command of REPLYING_COMMANDS) expect(typeOf(command)).toBe(`${command.toUpperCase()}_REP`);
  });

  it.each(['restart', 'upgrade_core --version 1', 'reboot', 'shutdown', 'uninstall'])(
    'is missing for %j, which takes the sensor down',
    (task) => expect(typeOf(task)).toBeUndefined(),
  );

  it('names task, sensor and investigation, in the record and in its routing', () => {
    const { event } = answerTo(dispatch(), SENSOR, plain, 2_000) ?? expect.fail();
    expect(event).toMatchObject({ sid: SENSOR.sid, task_id: 't1', investigation_id: 'audit/t1', occurred_at: 2_000 });
    expect(JSON.parse(event.routing)).toMatchObject({
      event_id: event.event_id,
      event_type: 'OS_VERSION_REP',
      investigation_id: 'audit/t1',
      hostname: SENSOR.facts.hostname,
    });
    expect(JSON.parse(event.event)).toMatchObject({ ERROR: 0, COMPUTER_NAME: SENSOR.facts.hostname });
  });

  it('gives back the file that was asked for', () => {
    const answer = answerTo(dispatch({ task: 'file_get -f /etc/passwd' }), SENSOR, plain, 2_000) ?? expect.fail();
    expect(JSON.parse(answer.event.event).FILE_PATH).toBe('/etc/passwd');
  });

  it('is late, twice and wrong in the shares asked for', () => {
    const answers = Array.from({ length: 5_000 }, (_, n) =>
      answerTo(dispatch({ task_id: `t${n}` }), SENSOR, { seed: 5, shares: FEW_MISHAPS }, 2_000),
    ).filter((answer) => answer !== null);
    const share = (count: number) => count / answers.length;
    expect(share(answers.filter(({ delaysMs }) => (delaysMs[0] ?? 0) > 0).length)).toBeCloseTo(0.02, 1.7);
    expect(share(answers.filter(({ delaysMs }) => delaysMs.length === 2).length)).toBeCloseTo(0.02, 1.7);
    const failed = answers.filter(({ error }) => error !== 0);
    expect(share(failed.length)).toBeCloseTo(0.02, 1.7);
    for (const { event, error } of failed) expect(JSON.parse(event.event).ERROR).toBe(error);
  });

  it('has no mishaps where none are asked for', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (taskId, task) => {
        const answer = answerTo(dispatch({ task_id: taskId, task }), SENSOR, plain, 2_000);
        if (answer) expect(answer).toMatchObject({ delaysMs: [0], error: 0 });
      }),
    );
  });

  it('fails at every attempt alike, and each attempt has an event id of its own', () => {
    fc.assert(
      fc.property(fc.string(), (taskId) => {
        const settings = { seed: 9, shares: { late: 0, twice: 0, error: 0.5 } };
        const first = answerTo(dispatch({ task_id: taskId }), SENSOR, settings, 2_000);
        const second = answerTo(dispatch({ task_id: taskId, dispatch_id: 'd2' }), SENSOR, settings, 3_000);
        expect(second?.error).toBe(first?.error);
        expect(second?.event.event_id).not.toBe(first?.event.event_id);
      }),
    );
  });
});
