/**
 * The tasks page of the console with many rows in a real Chromium: long tasks of its main thread and frames while it is
 * scrolled through, first at rest, then while tasks are queued by others; and what a first load takes on the wire. Long by
 * the clock is what the browser's observer reports: over 50 ms, waits for the processor included. Long by the processor is
 * what the page itself is to blame for, by the browser's trace: that is the figure that counts on a machine in use.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { buildConsoleIfStale } from '../scripts/console.ts';
import { openBrowser, openPage, signIn } from '../test/integration/support/browser.ts';
import type { Bench, Context, Result } from './bench.ts';
import { type Child, until } from './child.ts';
import { figure } from './stats.ts';
import { System } from './system.ts';
import { traced } from './trace.ts';
import { taskOf } from './workload.ts';

const FULL = { tasks: 10_000, seconds: 10, rate: 20 };
const QUICK = { tasks: 10_000, seconds: 4, rate: 20 };
const APPLY_MS = 120_000;
/** Of what `/` needs before anything is shown. */
const FIRST_LOAD_KB = 150;
/** A row's height times some: a quick hand at the wheel. */
const STEP_PX = 450;
const LONG_MS = 50;

type Scrolled = { seconds: number; frames: number; longTasksMs: number[]; worstFrameMs: number };
type Measured = { phase: string; rows: number; cpuMs: number[] } & Scrolled;

export const consoleBench: Bench = {
  summary: 'long tasks and frames of the console while 10,000 tasks are scrolled through, and its first load',
  run: async (context) => {
    await buildConsoleIfStale();
    const system = new System(context, 1);
    const stop = () => void system.stop();
    context.stopped.addEventListener('abort', stop, { once: true });
    try {
      return await measure(system, context);
    } finally {
      context.stopped.removeEventListener('abort', stop);
      await system.stop();
    }
  },
};

async function measure(system: System, { flags, note }: Context): Promise<Result> {
  const sizes = { ...(flags.quick ? QUICK : FULL) };
  Object.assign(sizes, flags.tasks && { tasks: flags.tasks }, flags.seconds && { seconds: flags.seconds });
  if (flags.ratePerSecond) sizes.rate = flags.ratePerSecond;
  note('topics, org, processes');
  await system.start();
  const projector = await system.startRole('projector');
  await system.startRole('joiner');
  const api = await system.startRole('api');
  note(`${sizes.tasks} tasks are queued`);
  await queue(system, 0, sizes.tasks);
  await applied(system, projector, sizes.tasks);
  const browser = await openBrowser();
  try {
    const { page, wireBytes } = await load(system, api.url, browser, sizes.tasks);
    const phases: Measured[] = [];
    note(`scrolling for ${sizes.seconds} s`);
    const measured = async (phase: string, run: () => Promise<Scrolled>) => {
      const [scrolled, tasks] = await traced(browser, page, run);
      phases.push({ phase, rows: sizes.tasks, ...scrolled, cpuMs: tasks.map(({ cpuMs }) => cpuMs) });
    };
    await measured('at rest', () => scroll(page, sizes.seconds));
    note(`the same while ${sizes.rate} tasks/s are queued`);
    await measured(`${sizes.rate} new tasks/s`, async () => {
      const [live] = await Promise.all([scroll(page, sizes.seconds), feed(system, sizes)]);
      return live;
    });
    return resultOf(sizes, phases, wireBytes);
  } finally {
    await browser.close();
  }
}

async function queue(system: System, from: number, count: number): Promise<void> {
  const [oid] = system.oids as [string];
  const one = (n: number) => taskOf(oid, `task-${n}`, `"group-${n % 200}" in tags`, Date.now() - (n % 3_600) * 1_000);
  const commands = Array.from({ length: count }, (_, i) => one(from + i));
  const encode = (command: (typeof commands)[number]) => system.codec.encode('TaskCommand', command);
  await system.produce(
    system.topics.commands,
    commands.map((one) => ({ key: one.task_id, value: encode(one) })),
  );
}

const applied = (system: System, projector: Child, count: number) =>
  until('the tasks are applied', projector, APPLY_MS, async () => {
    const [oid] = system.oids as [string];
    return (await system.redis.zcard(`{${oid}}:ix`)) >= count || undefined;
  });

/** Tasks as others queue them, evenly over the time. */
async function feed(system: System, { tasks, seconds, rate }: { tasks: number; seconds: number; rate: number }) {
  for (let second = 0; second < seconds; second += 1) {
    await queue(system, tasks + second * rate, rate);
    await sleep(1_000);
  }
}

/** Signs in and waits until all rows are there; counts what came over the wire before the sign-in. */
async function load(system: System, url: string, browser: Awaited<ReturnType<typeof openBrowser>>, count: number) {
  const { page } = await openPage(browser, url);
  const wireBytes = (await page.evaluate(WIRE)) as number;
  await signIn(page, system.oids[0] as string, system.apiKey);
  await page.locator(`.vtable[aria-rowcount="${count + 1}"]`).waitFor({ timeout: APPLY_MS });
  return { page, wireBytes };
}

const WIRE = `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;

/** Down to the end and up again, a step each frame. */
const scroll = (page: Page, seconds: number): Promise<Scrolled> =>
  page.evaluate(`new Promise((resolve) => {
    const box = document.querySelector('.vbody');
    const longTasksMs = [];
    const observer = new PerformanceObserver((list) => longTasksMs.push(...list.getEntries().map((one) => one.duration)));
    observer.observe({ type: 'longtask' });
    const startedAt = performance.now();
    let [frames, worstFrameMs, last, step] = [0, 0, startedAt, ${STEP_PX}];
    requestAnimationFrame(function frame(at) {
      frames += 1;
      worstFrameMs = Math.max(worstFrameMs, at - last);
      last = at;
      box.scrollTop += step;
      if (box.scrollTop <= 0 || box.scrollTop + box.clientHeight >= box.scrollHeight - 1) step = -step;
      if (at - startedAt < ${seconds * 1_000}) return requestAnimationFrame(frame);
      setTimeout(() => {
        observer.disconnect();
        resolve({ seconds: (at - startedAt) / 1000, frames, longTasksMs, worstFrameMs });
      }, 200);
    });
  })`);

const longest = (ms: readonly number[]): string => (ms.length === 0 ? '–' : figure(Math.max(...ms)));

function resultOf(sizes: object, phases: Measured[], wireBytes: number): Result {
  const kilobytes = wireBytes / 1_000;
  return {
    data: { sizes, phases, firstLoadBytes: wireBytes, firstLoadBoundBytes: FIRST_LOAD_KB * 1_000 },
    sections: [
      {
        title: 'The tasks page in Chromium, scrolled through',
        headers: [
          'phase',
          'rows',
          'seconds',
          'frames/s',
          'long by clock',
          'longest ms',
          'long by CPU',
          'longest CPU ms',
        ],
        rows: phases.map(({ phase, rows, seconds, frames, longTasksMs, cpuMs }) => [
          ...[phase, String(rows), figure(seconds), figure(frames / seconds)],
          ...[String(longTasksMs.length), longest(longTasksMs)],
          ...[String(cpuMs.filter((ms) => ms > LONG_MS).length), longest(cpuMs)],
        ]),
        notes: [
          `First load: ${figure(kilobytes)} kB on the wire, compressed; the bound is ${FIRST_LOAD_KB} kB.`,
          `A long task is over ${LONG_MS} ms of the main thread; by the clock it counts waits for the processor, too.`,
        ],
      },
    ],
  };
}
