/** The actions of the extension: which rights allow each (one of them is enough), and what runs it. */
import type { ActionContext, ActionResult } from './context.ts';
import { explain } from './explain.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { preview } from './preview.ts';
import { signalAttempt, signalReceived } from './signals.ts';
import { task } from './task.ts';
import { untask } from './untask.ts';

export type Action = {
  rights: readonly string[];
  summary: string;
  run(data: unknown, context: ActionContext): Promise<ActionResult>;
};

const READ = ['sensor.list', 'sensor.task'];
/** What a sensor is, too. */
const LOOK = ['sensor.list', 'sensor.get', 'sensor.task'];
const WRITE = ['sensor.task'];

export const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['task', { rights: WRITE, summary: 'Queues a command for the sensors that match.', run: task }],
  ['list', { rights: READ, summary: 'Lists the tasks of the org.', run: list }],
  ['untask', { rights: WRITE, summary: 'Removes tasks, or their part for some sensors.', run: untask }],
  [
    'preview',
    { rights: LOOK, summary: 'Shows which sensors a selector matches now, and what excludes others.', run: preview },
  ],
  ['explain', { rights: LOOK, summary: 'Shows why a selector does or does not match a sensor.', run: explain }],
  ['signal_attempt', { rights: WRITE, summary: 'Tries now what is due to a sensor.', run: signalAttempt }],
  ['signal_received', { rights: WRITE, summary: 'Acknowledges a task for a sensor.', run: signalReceived }],
  ['get', { rights: READ, summary: 'Shows one task and where its sensors stand.', run: get }],
]);
