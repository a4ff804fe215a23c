/** The actions of the extension: what data each takes, which rights allow it (one of them is enough), and what runs it. */
import type { TObject } from '@sinclair/typebox';
import {
  ExplainSchema,
  GetSchema,
  ListSchema,
  PreviewSchema,
  ReceivedSchema,
  SensorSchema,
  TaskSchema,
  UntaskSchema,
  WhySchema,
} from '../schemas.ts';
import type { ActionContext, ActionResult } from './context.ts';
import { explain } from './explain.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { preview } from './preview.ts';
import { signalAttempt, signalReceived } from './signals.ts';
import { task } from './task.ts';
import { untask } from './untask.ts';
import { why } from './why.ts';

export type Action = {
  rights: readonly string[];
  summary: string;
  /** What `run` checks its data with; shown in the extension's schema and in the description of the API. */
  schema: TObject;
  run(data: unknown, context: ActionContext): Promise<ActionResult>;
};

const READ = ['sensor.list', 'sensor.task'];
/** What a sensor is, too. */
const LOOK = ['sensor.list', 'sensor.get', 'sensor.task'];
const WRITE = ['sensor.task'];

type Row = [name: string, rights: readonly string[], summary: string, schema: TObject, run: Action['run']];

const TABLE: readonly Row[] = [
  ['task', WRITE, 'Queues a command for the sensors that match.', TaskSchema, task],
  ['list', READ, 'Lists the tasks of the org.', ListSchema, list],
  ['untask', WRITE, 'Removes tasks, or their part for some sensors.', UntaskSchema, untask],
  ['get', READ, 'Shows one task and where its sensors stand.', GetSchema, get],
  ['why', LOOK, 'Says in one sentence why a sensor has not run a task.', WhySchema, why],
  ['preview', LOOK, 'Shows which sensors a selector matches now, and what excludes others.', PreviewSchema, preview],
  ['explain', LOOK, 'Shows why a selector does or does not match a sensor.', ExplainSchema, explain],
  ['signal_attempt', WRITE, 'Tries now what is due to a sensor.', SensorSchema, signalAttempt],
  ['signal_received', WRITE, 'Acknowledges a task for a sensor.', ReceivedSchema, signalReceived],
];

export const ACTIONS: ReadonlyMap<string, Action> = new Map(
  TABLE.map(([name, rights, summary, schema, run]) => [name, { rights, summary, schema, run }]),
);
