/**
 * What is asked for meanwhile: tasks by the API and by a producer, some of them short, some withdrawn. A client that does not
 * give up asks again with the same idempotency key until it has an answer.
 */
import { randomUUID } from 'node:crypto';
import { EXTENSION } from '../../src/orgs/table.ts';
import type { System } from '../integration/support/system.ts';
import type { Random } from '../sim/random.ts';
import type { Untasked } from './judge.ts';

export type LoadOptions = {
  system: System;
  random: Random;
  tasks: number;
  /** They are spread over this time. */
  ms: number;
  wait(ms: number): Promise<void>;
  note(line: object): void;
};

type Fields = { task: string; selector: string; context: string; ttl: number };
type Answer = { status: number; data?: Record<string, unknown> };

const SELECTORS = ['*', '*', 'plat == windows', 'plat == linux', 'arch == x64', '"production" in tags'];
const COMMANDS = ['os_version', 'os_packages', 'netstat', 'run --shell-command whoami'];
const TTL_SECONDS = 3_600;
const SHORT_TTL_SECONDS = 10;
const UNTASK_AFTER_MS = 3_000;
const AGAIN_MS = 200;
const REQUEST_MS = 10_000;
const GIVE_UP_MS = 120_000;

/** Resolves with the answered untasks when all is asked and answered. */
export async function ask(options: LoadOptions): Promise<Untasked[]> {
  const { random, tasks, ms, wait } = options;
  const untasked: Untasked[] = [];
  const running: Promise<void>[] = [];
  for (let n = 0; n < tasks; n += 1) {
    running.push(one(options, n, untasked));
    await wait((ms / tasks) * random.between(0.5, 1.5));
  }
  await Promise.all(running);
  return untasked;
}

async function one(options: LoadOptions, n: number, untasked: Untasked[]): Promise<void> {
  const { random, wait, note } = options;
  const kind = random.weighted({ kept: 7, short: 1, withdrawn: 2 });
  const ttl = kind === 'short' ? SHORT_TTL_SECONDS : TTL_SECONDS;
  const fields = { task: random.pick(COMMANDS), selector: random.pick(SELECTORS), context: `chaos-${n}`, ttl };
  const byProducer = random.chance(0.3);
  const taskId = byProducer ? await produced(options, fields) : await insisted(options, n, fields);
  note({ asked: 'task', task_id: taskId, by: byProducer ? 'producer' : 'api', kind, ...fields });
  if (kind !== 'withdrawn') return;
  await wait(UNTASK_AFTER_MS * random.between(0, 2));
  const { data } = await insist(options, 'untask', { task_id: taskId });
  untasked.push({ taskId, answeredMs: Date.now() });
  note({ asked: 'untask', task_id: taskId, ...data });
}

/** A producer tries again until the broker has taken it; the same record twice is one task. */
async function produced({ system, wait }: LoadOptions, fields: Fields): Promise<string> {
  const task_id = randomUUID();
  const issued_at = Date.now();
  const deadlineMs = issued_at + GIVE_UP_MS;
  for (;;) {
    try {
      await system.command({ task_id, issued_at, ...fields });
      return task_id;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await wait(AGAIN_MS);
    }
  }
}

const insisted = async (options: LoadOptions, n: number, fields: object): Promise<string> =>
  String((await insist(options, 'task', { ...fields, idempotency_key: `chaos-${n}` })).data?.task_id);

/** 202 is no answer yet: the same request says when it is done. */
async function insist({ system, random, wait, note }: LoadOptions, action: string, data: object): Promise<Answer> {
  const deadlineMs = Date.now() + GIVE_UP_MS;
  for (;;) {
    const apis = [...system.roles.values()].filter(({ role }) => role === 'api');
    const answer = await request(system, random.pick(apis).url, action, data);
    if (answer.status === 200) return answer;
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 401 && answer.status !== 404)
      throw new Error(`${action} was refused: ${JSON.stringify(answer)}`);
    if (Date.now() > deadlineMs) throw new Error(`${action} had no answer in time, at last ${JSON.stringify(answer)}`);
    note({ asked: action, again: answer.status });
    await wait(AGAIN_MS);
  }
}

/** Status 0: nobody answered. */
async function request(system: System, url: string, action: string, data: object): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(REQUEST_MS);
    const secret = { oid: system.oid, secret: system.apiKey };
    const token = await fetch(url, { method: 'POST', body: new URLSearchParams(secret), signal });
    if (!token.ok) return { status: token.status >= 500 ? token.status : 401 };
    const { jwt } = (await token.json()) as { jwt: string };
    const body = new URLSearchParams({ oid: system.oid, action, data: JSON.stringify(data) });
    const headers = { authorization: `Bearer ${jwt}` };
    const answer = await fetch(`${url}/v1/extension/request/${EXTENSION}`, { method: 'POST', headers, body, signal });
    return { status: answer.status, ...((await answer.json()) as object) };
  } catch {
    return { status: 0 };
  }
}
