/**
 * Why a sensor has not run a task, or that it has, in one sentence. Pure: it gets the task, the stored delivery, and the sensor as it is
 * now. The state is the one that `get` shows (model/states.ts), or `none`: the task does not apply to the sensor.
 */
import { type DeliveryState, isAnswered, stateOf, type TaskState } from '../../model/states.ts';
import type { Delivery, TaskRecord } from '../../model/task.ts';
import type { SelectorAst } from '../../selector/ast.ts';
import { compileSelector } from '../../selector/evaluate/compile.ts';
import { type ExplainedClause, explainSelector } from '../../selector/evaluate/explain.ts';
import { printSelector } from '../../selector/language/print.ts';
import type { SelectorRecord } from '../../selector/predicate.ts';
import { shownDelivery } from './task-view.ts';

/** Stable words for programs. */
export type WhyReason =
  | 'never_seen'
  | 'no_match'
  | 'enrolled_after_end'
  | 'offline'
  | 'due'
  | 'awaiting_receipt'
  | 'no_longer_matches'
  | Exclude<DeliveryState, 'queued' | 'sent'>;

export type Why = { state: DeliveryState | 'none'; reason: WhyReason; sentence: string; at: number };

/** `view.sinceMs`: since when it is online, or offline. All times are Unix ms. */
export type WhySensor = {
  online: boolean;
  enrolledAtMs: number | null;
  record: SelectorRecord;
  view: { sinceMs: number };
};

export type WhyInput = {
  task: TaskRecord;
  /** The task's state at `nowMs`. */
  state: TaskState;
  selector: SelectorAst | null;
  delivery: Delivery | undefined;
  /** null: it was never seen, or was forgotten. */
  sensor: WhySensor | null;
  nowMs: number;
};

export function whyOf(input: WhyInput): Why {
  const { task, state, delivery, sensor } = input;
  const shown = stateOf(state, delivery);
  const { at, reason: sentence } = shownDelivery(task, state, delivery, sensor?.online === true);
  if (isAnswered(shown) || (shown !== 'queued' && shown !== 'sent' && delivery !== undefined))
    return { state: shown, reason: shown as WhyReason, sentence, at };
  if (delivery === undefined || delivery.attempt === 0) return neverSent(input, shown, sentence, at);
  return awaiting(input, delivery);
}

/** No delivery is stored: the sensor as it is now decides. */
function neverSent(input: WhyInput, shown: DeliveryState, sentence: string, at: number): Why {
  const { sensor, task, nowMs } = input;
  const none = { state: 'none' as const, at: nowMs };
  if (sensor === null)
    return { ...none, reason: 'never_seen', sentence: 'The sensor was never seen, or was forgotten.' };
  const mismatch = mismatchOf(input.selector, sensor.record);
  if (mismatch !== null) return { ...none, reason: 'no_match', sentence: `The sensor does not match: ${mismatch}.` };
  if (shown === 'queued') {
    if (sensor.online) return { state: shown, reason: 'due', sentence, at: Math.max(at, sensor.view.sinceMs) };
    const { sinceMs } = sensor.view;
    const offline = sinceMs === 0 ? 'has not connected yet' : `has been offline since ${timeOf(sinceMs)}`;
    const whole = `The sensor ${offline}; it gets the task when it connects.`;
    return { state: shown, reason: 'offline', sentence: whole, at: sinceMs === 0 ? at : sinceMs };
  }
  if (sensor.enrolledAtMs !== null && sensor.enrolledAtMs > (task.endedAtMs ?? task.expiresAtMs)) {
    const late = 'The sensor enrolled after the task had ended.';
    return { state: 'none', reason: 'enrolled_after_end', sentence: late, at: sensor.enrolledAtMs };
  }
  return { state: shown, reason: shown as WhyReason, sentence, at };
}

function awaiting({ sensor, selector }: WhyInput, { attempt, atMs }: Delivery): Why {
  const sent = `Attempt ${attempt} was sent at ${timeOf(atMs)}, and its receipt is awaited since`;
  const mismatch = sensor === null ? 'it was forgotten' : mismatchOf(selector, sensor.record);
  const awaited = { state: 'sent' as const, at: atMs };
  if (mismatch !== null)
    return {
      ...awaited,
      reason: 'no_longer_matches',
      sentence: `${sent}; it is not sent again, for the sensor no longer matches: ${mismatch}.`,
    };
  if (sensor?.online) return { ...awaited, reason: 'awaiting_receipt', sentence: `${sent}.` };
  const offline = `the sensor has been offline since ${timeOf(sensor?.view.sinceMs ?? atMs)}, and gets it again when it connects`;
  return { ...awaited, reason: 'awaiting_receipt', sentence: `${sent}; ${offline}.` };
}

const CLAUSES_NAMED = 3;
const VALUE_SHOWN = 80;

/** The clauses that exclude the sensor, with the values that they read; null: it matches. */
function mismatchOf(selector: SelectorAst | null, record: SelectorRecord): string | null {
  if (selector === null) return "the task's selector can't be read any more";
  if (compileSelector(selector)(record) === true) return null;
  const clauses = selector.type === 'and' ? selector.operands : [selector];
  const failed = clauses.filter((clause) => compileSelector(clause, selector)(record) !== true);
  const named = failed.slice(0, CLAUSES_NAMED).map((clause) => {
    const explained = explainSelector(clause, record, selector).clauses.slice(0, CLAUSES_NAMED);
    const isCostly = explained.some(({ reason }) => reason !== undefined);
    const verdict = isCostly ? 'exceeds the work limit of a selector' : 'is false';
    return `${printSelector(clause)} ${verdict} (${valuesOf(explained)})`;
  });
  return named.join('; ') + (failed.length > named.length ? `; and ${failed.length - named.length} more` : '');
}

function valuesOf(explained: readonly ExplainedClause[]): string {
  return explained
    .map(({ value }) => (value === undefined ? 'it has nothing there' : `it has ${clipped(value)}`))
    .join(', ');
}

function clipped(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
}

/** UTC, to the second. */
const timeOf = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
