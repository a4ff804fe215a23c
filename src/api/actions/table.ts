/** The actions of the extension: what data each takes and gives, which rights allow it (one of them is enough), and what runs it. */
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
} from '../../command/schemas.ts';
import {
  AttemptAnswer,
  ExplainAnswer,
  GetAnswer,
  ListAnswer,
  PreviewAnswer,
  ReceivedAnswer,
  TaskAccepted,
  TaskAnswer,
  UntaskAccepted,
  UntaskAnswer,
  WhyAnswer,
} from './answers.ts';
import type { ActionContext, ActionResult } from './context.ts';
import { explain } from './explain.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { preview } from './preview.ts';
import { signalAttempt, signalReceived } from './signals.ts';
import { task } from './task.ts';
import { untask } from './untask.ts';
import { why } from './why.ts';

export type Answers = { 200: TObject; 202?: TObject };

export type Action = {
  rights: readonly string[];
  summary: string;
  /** What `run` checks its data with; shown in the extension's schema and in the description of the API. */
  schema: TObject;
  /** `data` of the answer, by status. Shown in the description of the API; the tests hold answers to it. */
  answers: Answers;
  run(data: unknown, context: ActionContext): Promise<ActionResult>;
};

const READ = ['sensor.list', 'sensor.task'];
/** What a sensor is, too. */
const LOOK = ['sensor.list', 'sensor.get', 'sensor.task'];
const WRITE = ['sensor.task'];

type Row = [
  name: string,
  rights: readonly string[],
  summary: string,
  schema: TObject,
  answers: Answers,
  run: Action['run'],
];

const TASKED = { 200: TaskAnswer, 202: TaskAccepted };
const UNTASKED = { 200: UntaskAnswer, 202: UntaskAccepted };
const PREVIEWED = { 200: PreviewAnswer };
const TRIED = { 200: AttemptAnswer, 202: AttemptAnswer };
const RECEIVED = { 200: ReceivedAnswer, 202: ReceivedAnswer };

const TABLE: readonly Row[] = [
  ['task', WRITE, 'Queues a command for the sensors that match.', TaskSchema, TASKED, task],
  ['list', READ, 'Lists the tasks of the org.', ListSchema, { 200: ListAnswer }, list],
  ['untask', WRITE, 'Removes tasks, or their part for some sensors.', UntaskSchema, UNTASKED, untask],
  ['get', READ, 'Shows one task and where its sensors stand.', GetSchema, { 200: GetAnswer }, get],
  ['why', LOOK, 'Says in one sentence why a sensor has not run a task.', WhySchema, { 200: WhyAnswer }, why],
  [
    'preview',
    LOOK,
    'Shows which sensors a selector matches now, and what excludes others.',
    PreviewSchema,
    PREVIEWED,
    preview,
  ],
  [
    'explain',
    LOOK,
    'Shows why a selector does or does not match a sensor.',
    ExplainSchema,
    { 200: ExplainAnswer },
    explain,
  ],
  ['signal_attempt', WRITE, 'Tries now what is due to a sensor.', SensorSchema, TRIED, signalAttempt],
  ['signal_received', WRITE, 'Acknowledges a task for a sensor.', ReceivedSchema, RECEIVED, signalReceived],
];

export const ACTIONS: ReadonlyMap<string, Action> = new Map(
  TABLE.map(([name, rights, summary, schema, answers, run]) => [name, { rights, summary, schema, answers, run }]),
);
