/** `--output csv` of what is listed, against a server that this file plays. */
import { afterEach, expect, test } from 'vitest';
import { reply, run, serveAnswers } from './fixtures.ts';

let server: Awaited<ReturnType<typeof serveAnswers>> | undefined;
afterEach(() => server?.close());

const TASK = {
  task_id: 't1',
  task: 'run --shell-command "a, b"',
  sensor_selector: '*',
  context: null,
  ttl: 60,
  created_at: 1_000,
  expires_at: 61_000,
  issued_by: 'key',
  acknowledged: ['a'],
  acknowledged_count: 1,
};
const DELIVERY = {
  sid: 'a',
  hostname: 'h',
  state: 'done',
  attempt: 1,
  at: 5,
  reason: 'It has answered.',
  response_count: 2,
};
const HIVE = {
  tagged: {
    data: { detect: { event: 'RECEIPT', op: 'exists', path: 'event' }, respond: [] },
    usr_mtd: { enabled: true, expiry: 0, tags: [], comment: '' },
    sys_mtd: { etag: 'e1', last_error: '', created_at: 1, created_by: '', guid: '', last_author: '', last_mod: 1 },
  },
};
const envelope = (data: object) => ({ error: '', version: 1, data });

test.each<[string[], object, string]>([
  [
    ['list'],
    envelope({ tasks: [TASK] }),
    'task_id,task,sensor_selector,context,ttl,created_at,expires_at,issued_by,acknowledged_count\r\n' +
      't1,"run --shell-command ""a, b""",*,,60,1000,61000,key,1\r\n',
  ],
  [
    ['show', 't1'],
    envelope({ ...TASK, state: 'pending', counts: { done: 1 }, sensors: [DELIVERY, { sid: 'b', state: 'queued' }] }),
    'sid,hostname,state,attempt,at,reason,response_count\r\na,h,done,1,5,It has answered.,2\r\nb,,queued,,,,\r\n',
  ],
  [
    ['detections', 'list'],
    {
      detections: [
        { detect_id: 'd', occurred_at: 7, cat: '=x', sid: 'a', source: 'dr-general', priority: 3, body: {} },
      ],
    },
    "detect_id,occurred_at,cat,sid,source,priority\r\nd,7,'=x,a,dr-general,3\r\n",
  ],
  [
    ['outputs', 'list'],
    { outputs: { o: { type: 'file', path: 'x', undelivered: 2, last_failure: { reason: 'full', at: 9 } } } },
    'name,type,where,undelivered,last_failure_at,last_failure\r\no,file,x,2,9,full\r\n',
  ],
  [
    ['rules', 'list'],
    { records: HIVE, next_cursor: '' },
    'name,events,enabled,last_error,etag\r\ntagged,RECEIPT,true,,e1\r\n',
  ],
])('%j has rows for a spreadsheet', async (args, answer, rows) => {
  server = await serveAnswers((_, response) => reply(response, 200, answer));
  const { out, exitCode } = await run([...args, '--output', 'csv', '--url', server.url]);
  expect([exitCode, out]).toEqual([0, rows]);
});

test.each<[string[], object]>([
  [
    ['detections', 'list'],
    { detections: [{ detect_id: 'd', occurred_at: 1_767_225_601_000, cat: 'x', sid: 'a', source: 'dr-general' }] },
  ],
  [
    ['outputs', 'list'],
    { outputs: { o: { type: 'file', path: 'x', last_failure: { reason: 'full', at: 1_767_225_601_000 } } } },
  ],
  [
    ['show', 't1'],
    envelope({ ...TASK, state: 'pending', counts: { done: 1 }, sensors: [{ ...DELIVERY, at: 1_767_225_601_000 }] }),
  ],
])('%j shows people the same kind of time', async (args, answer) => {
  server = await serveAnswers((_, response) => reply(response, 200, answer));
  expect((await run([...args, '--url', server.url])).out).toMatch(/(^| )2026-01-01 00:00:01Z /m);
});
