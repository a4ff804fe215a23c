/**
 * The steps of the demonstration, against a ready server: a fleet connects, tasks are queued over REST, the live stream shows their
 * events, and three sensors come online late. Every wait ends with its condition or at the deadline. The tally shows what was not
 * seen by then. The live events continue after the story. They pause while the org is unsubscribed, like its tasks.
 */

import type { ActivityEvent } from '../cli/api/answers.ts';
import { Client } from '../cli/api/client.ts';
import { type FollowOptions, follow } from '../cli/commands/tasks/watch.ts';
import type { Paint } from '../cli/io.ts';
import { activityLine } from '../cli/text/activity.ts';
import type { Fleet } from '../fleet/run.ts';
import type { Cast } from './cast.ts';
import type { Identity } from './identity.ts';
import { openRest } from './rest.ts';
import { Tally } from './tally.ts';
import { type DemoTask, demoTasks } from './tasks.ts';

export type StoryOptions = {
  url: string;
  identity: Identity;
  cast: Cast;
  fleet: Fleet;
  print(line: string): void;
  paint: Paint;
  /** Ends the live stream. */
  stopped: AbortSignal;
  /** Ends every wait. */
  deadline: AbortSignal;
};

/** `try_task` is not shown, `task_sent` is; the others have their own word. */
const HIDDEN = new Set(['try_task']);

export class Story {
  readonly tally: Tally;
  readonly #options: StoryOptions;
  readonly #names: Map<string, string>;
  /** Events of tasks whose id is not known yet: the stream can be faster than the answer. */
  readonly #held = new Map<string, string[]>();
  readonly #waiting = new Set<() => void>();
  #showAll = false;

  constructor(options: StoryOptions) {
    this.#options = options;
    this.tally = new Tally(options.cast);
    this.#names = new Map(options.cast.all.map(({ sid, facts }) => [sid, facts.hostname]));
  }

  /** Runs the demonstration to its end or to the deadline. Rejects if the server refuses a request. */
  async tell(): Promise<void> {
    await this.#watch();
    const rest = await this.#queueAll();
    await this.#until(() => this.tally.complete('queued', 'delivered at once', 'untasked before delivery'));
    await this.#connectReturning();
    await this.#until(() => this.tally.complete('delivered after a connect', 'acknowledged', 'expired undelivered'));
    const { tasks } = await rest.post('list', '{}');
    this.tally.noteList((tasks as { task_id: string }[]).map((task) => task.task_id));
    this.#showAll = true;
    this.#held.clear();
  }

  async #queueAll() {
    const { url, identity, cast, stopped } = this.#options;
    const rest = await openRest(url, identity.oid, identity.apiKey, stopped);
    for (const task of demoTasks(cast)) {
      const { task_id: taskId } = (await rest.post('task', task.data)) as { task_id: string };
      this.#adopt(task, taskId);
      if (task.fate === 'untasked') await rest.post('untask', `{"task_id":"${taskId}"}`);
    }
    return rest;
  }

  #adopt(task: DemoTask, taskId: string): void {
    this.tally.add({ ...task, taskId });
    this.#names.set(taskId, task.label);
    for (const line of this.#held.get(taskId) ?? []) this.#options.print(line.replace(taskId, task.label));
    this.#held.delete(taskId);
  }

  async #connectReturning(): Promise<void> {
    const { cast, fleet, print, paint } = this.#options;
    this.tally.connectsBegin();
    print(paint('bold', `${cast.returning.map(({ facts }) => facts.hostname).join(', ')} come online`));
    await Promise.all(cast.returning.map(({ sid }) => fleet.connect(sid)));
  }

  /** Resolves when the stream is open. The stream runs until `stopped`. */
  async #watch(): Promise<void> {
    const { url, identity, stopped, deadline, print } = this.#options;
    const client = new Client({ url, oid: identity.oid, apiKey: identity.apiKey, fetch: globalThis.fetch, stopped });
    await new Promise<void>((resolve, reject) => {
      const read = async () => {
        const io = { stopped, err: (text: string) => print(text.trimEnd()) };
        for await (const { event, data } of follow(client, {}, io, this.#pauses(resolve))) {
          this.#show(event, JSON.parse(data) as ActivityEvent);
        }
      };
      deadline.addEventListener('abort', () => reject(new Error('The live stream did not open in time.')), {
        once: true,
      });
      read().catch((error: Error) => {
        print(`The live stream ended: ${error.message}`);
        reject(error);
      });
    });
  }

  #pauses(onFirstOpen: () => void): FollowOptions {
    const { print, paint } = this.#options;
    let paused = false;
    return {
      onOpen: () => {
        onFirstOpen();
        if (paused) print(paint('bold', 'The org is subscribed again. Its tasks and these events continue.'));
        paused = false;
      },
      passes: ({ code }) => {
        if (code !== 'not_subscribed') return false;
        if (!paused) print(paint('yellow', 'The org is unsubscribed. Its tasks and these events pause.'));
        paused = true;
        return true;
      },
    };
  }

  #show(type: string, activity: ActivityEvent): void {
    const { print, paint } = this.#options;
    const taskId = activity.event.task_id ?? '';
    this.tally.note(type, taskId, activity.event.sid, Number(activity.event.attempt ?? 1));
    if (!HIDDEN.has(type)) {
      const line = activityLine(type, activity, paint, this.#names);
      if (this.#showAll || this.#names.has(taskId)) print(line);
      else this.#held.set(taskId, [...(this.#held.get(taskId) ?? []), line]);
    }
    for (const check of this.#waiting) check();
  }

  async #until(condition: () => boolean): Promise<void> {
    const { deadline, stopped } = this.#options;
    await new Promise<void>((resolve) => {
      const check = () => {
        if (!condition() && !deadline.aborted && !stopped.aborted) return;
        this.#waiting.delete(check);
        resolve();
      };
      for (const signal of [deadline, stopped]) signal.addEventListener('abort', check, { once: true });
      this.#waiting.add(check);
      check();
    });
  }
}
