/** The actions of the extension: which rights allow each (one of them is enough), and what runs it. */
import type { ActionContext, ActionResult } from './context.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { task } from './task.ts';
import { untask } from './untask.ts';

export type Action = {
  rights: readonly string[];
  summary: string;
  run(data: unknown, context: ActionContext): Promise<ActionResult>;
};

const READ = ['sensor.list', 'sensor.task'];
const WRITE = ['sensor.task'];

export const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['task', { rights: WRITE, summary: 'Queues a command for the sensors that match.', run: task }],
  ['list', { rights: READ, summary: 'Lists the tasks of the org.', run: list }],
  ['untask', { rights: WRITE, summary: 'Removes tasks, or their part for some sensors.', run: untask }],
  ['get', { rights: READ, summary: 'Shows one task and where its sensors stand.', run: get }],
]);
