/** The question that `task` and `untask` ask on a terminal before they act on many sensors. */
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { readLine } from '../../../src/cli/io.ts';
import { type Received, reply, run, serveAnswers } from '../fixtures.ts';

type Server = Awaited<ReturnType<typeof serveAnswers>>;
type Refusal = { status: number; error: string; error_code: string };
let server: Server | undefined;
afterEach(() => server?.close());

const TASK_ID = '5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10';
const forbidden: Refusal = { status: 403, error: 'The key lacks the right.', error_code: 'forbidden' };

const isRefusal = (answer: unknown): answer is Refusal => typeof answer === 'object' && 'error_code' in (answer ?? {});

/** Runs a command on a terminal where `typed` is the line that is typed (null: the end of the input), against answers by
 *  action. Answers what was asked of the server, and how often a line was read. */
async function onTerminal(
  args: string[],
  answers: Record<string, unknown>,
  { typed = null, ...over }: Partial<Io> & { typed?: string | null } = {},
) {
  server = await serveAnswers(({ form }, response) => {
    const answer = answers[form.get('action') ?? ''];
    if (isRefusal(answer)) reply(response, answer.status, answer);
    else reply(response, 200, { error: '', version: 1, data: answer });
  });
  let reads = 0;
  const result = await run([...args, '--url', server.url], {
    inTerminal: true,
    errTerminal: true,
    readLine: async () => {
      reads += 1;
      return typed;
    },
    ...over,
  });
  const requests = server.requests.filter(({ path }) => path !== '/');
  const dataOf = ({ form }: Received) => JSON.parse(form.get('data') ?? 'null');
  const asked = requests.map((request) => [request.form.get('action'), dataOf(request)]);
  return { ...result, asked, actions: asked.map(([action]) => action), reads };
}

const queued = { task_id: 't1', total_sensors: 3_037, tasked_sensors: 2_100, queued_sensors: 937 };
const matching = (total: number, online = 0) => ({
  preview: { total_sensors: total, online_sensors: online },
  task: queued,
});

describe('task on a terminal', () => {
  it('asks for the number above 25 sensors, and queues when it is typed', async () => {
    const result = await onTerminal(['task', 'os_version'], matching(3_037, 2_100), { typed: '3037' });
    expect(result).toMatchObject({ exitCode: 0, actions: ['preview', 'task'], reads: 1 });
    expect(result.err).toContain("This queues 'os_version' for 3037 sensors, 2100 online now.");
    expect(result.err).toContain('Type 3037 to continue: ');
    expect(result.out).toContain('matched  3037');
  });

  it('counts exactly the target that it queues for', async () => {
    const { asked } = await onTerminal(['task', 'x', '--tag', 'vip'], matching(26), { typed: '26' });
    expect(asked).toEqual([
      ['preview', { tag: 'vip', limit: 1 }],
      ['task', { task: 'x', tag: 'vip' }],
    ]);
  });

  it.each([
    ['another number', '3036', 'is not 3037'],
    ['yes', 'yes', 'is not 3037'],
    ['nothing', '', 'is not 3037'],
    ['the end of the input', null, 'no answer'],
  ])('queues nothing after %s', async (_what, typed, sentence) => {
    const result = await onTerminal(['task', 'os_version'], matching(3_037), { typed });
    expect(result).toMatchObject({ exitCode: 1, out: '', actions: ['preview'] });
    expect(result.err).toMatch(/not_confirmed {2}Nothing was queued: /m);
    expect(result.err).toContain(sentence);
    expect(result.err).toContain('--yes');
  });

  it('asks nothing up to 25 sensors', async () => {
    const result = await onTerminal(['task', 'os_version', '--tag', 'vip'], matching(25));
    expect(result).toMatchObject({ exitCode: 0, actions: ['preview', 'task'], reads: 0 });
  });

  it('counts nothing for one sensor', async () => {
    const result = await onTerminal(['task', 'os_version', '--sid', 's1'], matching(1));
    expect(result).toMatchObject({ exitCode: 0, actions: ['task'], reads: 0 });
  });

  it.each<[string, string[], Partial<Io>]>([
    ['with --yes', ['--yes'], {}],
    ['with --json', ['--json'], {}],
    ['where the input is no terminal', [], { inTerminal: false }],
    ['where the error stream is no terminal', [], { errTerminal: false }],
  ])('counts and asks nothing %s', async (_what, flags, over) => {
    const result = await onTerminal(['task', 'os_version', ...flags], matching(3_037), over);
    expect(result).toMatchObject({ exitCode: 0, actions: ['task'], reads: 0 });
  });

  it.each<[string, Refusal]>([
    ['without the right to', forbidden],
    ['by a server that fails', { status: 500, error: 'Try again.', error_code: 'internal_error' }],
  ])('asks for the word yes where the sensors are not counted %s', async (_what, refusal) => {
    const answers = { preview: refusal, task: queued };
    const refused = await onTerminal(['task', 'os_version'], answers, { typed: '3037' });
    expect(refused).toMatchObject({ exitCode: 1, actions: ['preview'], reads: 1 });
    expect(refused.err).toContain(`The sensors cannot be counted: ${refusal.error}`);
    expect(refused.err).toContain('Type yes to continue: ');
    await server?.close();
    const agreed = await onTerminal(['task', 'os_version'], answers, { typed: ' Yes ' });
    expect(agreed).toMatchObject({ exitCode: 0, actions: ['preview', 'task'] });
  });

  it('ends with the error of a selector that is wrong, without a question', async () => {
    const preview = { status: 400, error: 'column 6: =', error_code: 'selector_syntax' };
    const result = await onTerminal(['task', 'x', '--selector', 'plat = linux'], { preview, task: queued });
    expect(result).toMatchObject({ exitCode: 4, actions: ['preview'], reads: 0 });
    expect(result.err).toContain('selector_syntax');
  });

  it('shows control characters of the command instead of sending them to the terminal', async () => {
    const { err } = await onTerminal(['task', 'x\u001b[2J'], matching(30));
    expect(err).not.toContain('\u001b');
  });

  it('reports that it was stopped when Ctrl-C ends the question', async () => {
    const stopping = new AbortController();
    const result = await onTerminal(['task', 'x'], matching(30), {
      stopped: stopping.signal,
      readLine: async () => {
        stopping.abort();
        return null;
      },
    });
    expect(result).toMatchObject({ exitCode: 1, actions: ['preview'] });
    expect(result.err).toMatch(/^stopped {2}Nothing was queued\.$/m);
  });
});

describe('untask on a terminal', () => {
  const counts = (queued: number, sent: number) => ({
    counts: { queued, sent, done: 900, failed: 9, expired: 0, removed: 0 },
  });
  const listed = (...ids: string[]) => ({ tasks: ids.map((task_id) => ({ task_id })) });
  const untask = { deleted: 40, tasks: 1 };

  it('asks for the number of sensors that have not answered a task', async () => {
    const answers = { get: counts(30, 10), untask };
    const result = await onTerminal(['untask', TASK_ID], answers, { typed: '40' });
    expect(result).toMatchObject({ exitCode: 0, reads: 1 });
    expect(result.asked).toEqual([
      ['get', { task_id: TASK_ID, limit: 1 }],
      ['untask', { task_id: TASK_ID }],
    ]);
    expect(result.err).toContain(`This withdraws task ${TASK_ID} from 40 sensors that have not answered.`);
  });

  it('withdraws nothing after another number', async () => {
    const result = await onTerminal(['untask', TASK_ID], { get: counts(30, 10), untask }, { typed: '949' });
    expect(result).toMatchObject({ exitCode: 1, actions: ['get'] });
    expect(result.err).toMatch(/not_confirmed {2}Nothing was withdrawn: /m);
  });

  it('asks nothing if few have not answered, or the task is unknown', async () => {
    expect(await onTerminal(['untask', TASK_ID], { get: counts(20, 5), untask })).toMatchObject({
      exitCode: 0,
      reads: 0,
    });
    await server?.close();
    const get = { status: 404, error: 'No such task.', error_code: 'task_unknown' };
    expect(await onTerminal(['untask', TASK_ID], { get, untask })).toMatchObject({ exitCode: 0, reads: 0 });
  });

  it('counts no more sensors than the target matches', async () => {
    const answers = { get: counts(3_000, 0), ...matching(28), untask };
    const result = await onTerminal(['untask', TASK_ID, '--tag', 'vip'], answers, { typed: '28' });
    expect(result).toMatchObject({ exitCode: 0, reads: 1 });
    expect(result.err).toContain(`This withdraws task ${TASK_ID} from up to 28 sensors.`);
  });

  it('asks, for all tasks, at most for the number of sensors with open deliveries', async () => {
    const answers = { list: listed('a', 'b'), get: counts(15, 5), ...matching(3_037), untask };
    const all = ['untask', '--selector', '*'];
    const result = await onTerminal(all, answers, { typed: '40' });
    expect(result).toMatchObject({ exitCode: 0, reads: 1 });
    expect(result.err).toContain('This withdraws every pending task from up to 40 sensors.');
    await server?.close();
    expect(await onTerminal(all, { ...answers, list: listed() })).toMatchObject({ exitCode: 0, reads: 0 });
  });

  it('uses the number of sensors in the target if there are too many tasks to count each', async () => {
    const answers = { list: { ...listed('a'), next_cursor: 'more' }, ...matching(3_037), untask };
    const result = await onTerminal(['untask', '--selector', '*'], answers, { typed: '3,037' });
    expect(result).toMatchObject({ exitCode: 0, actions: ['preview', 'list', 'untask'], reads: 1 });
  });

  it('counts nothing for one sensor, nor with --yes', async () => {
    const answers = { untask };
    expect(await onTerminal(['untask', '--sid', 's1'], answers)).toMatchObject({ exitCode: 0, actions: ['untask'] });
    await server?.close();
    expect(await onTerminal(['untask', TASK_ID, '--yes'], answers)).toMatchObject({ exitCode: 0, actions: ['untask'] });
  });

  it('asks for the word yes where the deliveries cannot be counted', async () => {
    const result = await onTerminal(['untask', TASK_ID], { get: forbidden, untask }, { typed: null });
    expect(result).toMatchObject({ exitCode: 1, actions: ['get'], reads: 1 });
    expect(result.err).toContain('Type yes to continue: ');
  });
});

describe('a line that is typed', () => {
  const never = new AbortController().signal;

  it('is read up to its end, and no further', async () => {
    const input = new PassThrough();
    input.write('30');
    const line = readLine(input, never);
    input.write('37\r\nmore\n');
    expect(await line).toBe('3037');
  });

  it('is null where the input ends, or the wait for it is stopped', async () => {
    const ended = new PassThrough();
    ended.end();
    expect(await readLine(ended, never)).toBeNull();
    const stopping = new AbortController();
    const line = readLine(new PassThrough(), stopping.signal);
    stopping.abort();
    expect(await line).toBeNull();
    expect(await readLine(new PassThrough(), stopping.signal)).toBeNull();
  });
});
