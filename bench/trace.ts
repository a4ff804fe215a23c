/**
 * The tasks of a page's main thread by the browser's own trace: how long each took by the clock, and how much of the
 * processor it had. On a machine that others use, a task is long by the clock for no fault of its own.
 */
import type { Browser, Page } from 'playwright-core';

/** Milliseconds. */
export type MainTask = { clockMs: number; cpuMs: number };

type Event = {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args?: { name?: string };
};

const CATEGORIES = ['disabled-by-default-devtools.timeline', '__metadata'];

/** Every task of the busiest main thread of a renderer while `run` runs. */
export async function traced<T>(browser: Browser, page: Page, run: () => Promise<T>): Promise<[T, MainTask[]]> {
  await browser.startTracing(page, { categories: CATEGORIES });
  const result = await run();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: Event[] };
  return [result, busiest(traceEvents)];
}

function busiest(events: readonly Event[]): MainTask[] {
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const threads = mains.map(({ pid, tid }) => tasksOf(events, pid, tid));
  const sum = (tasks: readonly MainTask[]) => tasks.reduce((total, { cpuMs }) => total + cpuMs, 0);
  const [most] = threads.toSorted((a, b) => sum(b) - sum(a));
  if (!most || most.length === 0) throw new Error('the trace names no task of a main thread');
  return most;
}

const tasksOf = (events: readonly Event[], pid: number, tid: number): MainTask[] =>
  events
    .filter((one) => one.pid === pid && one.tid === tid && one.ph === 'X' && one.name === 'RunTask')
    .map(({ dur = 0, tdur = 0 }) => ({ clockMs: dur / 1_000, cpuMs: tdur / 1_000 }));
