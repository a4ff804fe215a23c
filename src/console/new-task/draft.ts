/** The draft of a task: what is missing, when it may be queued, and the equivalent requests to paste. Pure. */
import { CONFIRM_ABOVE } from '../../model/confirm.ts';
import { plural } from '../format.ts';

export type Draft = { command: string; selector: string; context: string; ttl: string; unit: 'm' | 'h' | 'd' };

export const TTL_UNITS: readonly { unit: Draft['unit']; title: string; seconds: number }[] = [
  { unit: 'm', title: 'minutes', seconds: 60 },
  { unit: 'h', title: 'hours', seconds: 3_600 },
  { unit: 'd', title: 'days', seconds: 86_400 },
];

/** More than any server can be set to. */
const TTL_MAX_SECONDS = 315_360_000;
export const TTL_RULE = 'a whole number from 1, ten years at most';

/** Seconds; NaN where the text is not by the rule. */
export function ttlSeconds({ ttl, unit }: Draft): number {
  const seconds = Number(ttl) * (TTL_UNITS.find((entry) => entry.unit === unit)?.seconds ?? 1);
  return /^\d{1,9}$/.test(ttl.trim()) && seconds > 0 && seconds <= TTL_MAX_SECONDS ? seconds : Number.NaN;
}

/** The selector that is sent; '' while none is chosen. Only `*` means every sensor. */
export const targetOf = ({ selector }: Draft): string => selector.trim();

/** How many sensors the target matches: not known while they are counted. */
export type Count = number | 'counting' | 'failed';

/** What is missing in the draft, as a sentence; null if it can be queued. */
export function hindrance(draft: Draft, count: Count): string | null {
  if (draft.command.trim() === '') return 'Write a command first.';
  if (targetOf(draft) === '') return 'Choose the sensors first: write a selector, or * for every sensor.';
  if (!Number.isFinite(ttlSeconds(draft))) return `Correct the time first: ${TTL_RULE}.`;
  if (count === 'failed') return 'The sensors cannot be counted. See the reason under “Whom it reaches now”.';
  return count === 'counting' ? 'The sensors are being counted …' : null;
}

export const queueLabel = (sensors: number): string =>
  sensors === 0 ? 'Queue (no sensor matches yet)' : `Queue for ${plural(sensors, 'sensor')}`;

/** What a click does after the sensors are counted once more. `shown` is the number that was clicked, or typed
 *  (`isConfirmed`): a task is never queued for another one. */
export function nextStep(shown: number, now: number, isConfirmed: boolean): 'queue' | 'ask' | 'changed' {
  if (now === shown && (isConfirmed || now <= CONFIRM_ABOVE)) return 'queue';
  return isConfirmed || now > CONFIRM_ABOVE ? 'ask' : 'changed';
}

/** Quoted for a POSIX shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export type Where = { oid: string; origin: string; uid: string | null };

/** What a record says that a request does not. `id` names the task. */
export type Issue = { id: string; issuedAtMs: number };

/** Each as it can be pasted, of a draft that has a command, a target and a time. The API key stays where it is: in the variable RT_API_KEY of whoever pastes. */
export function equivalents(where: Where, draft: Draft, issue: Issue): { label: string; text: string }[] {
  return [
    { label: 'curl, with your key in RT_API_KEY', text: curl(where, draft) },
    { label: 'Command line, with your key in RT_API_KEY', text: commandLine(where, draft) },
    {
      label: 'Kafka record: topic task-commands, key task_id, value Avro TaskCommand (docs/producing.md)',
      text: record(where, draft, issue),
    },
  ];
}

function curl({ oid, origin, uid }: Where, draft: Draft): string {
  const context = draft.context ? { context: draft.context } : {};
  const data = { task: draft.command, selector: targetOf(draft), ...context, ttl: ttlSeconds(draft) };
  const user = uid ? ` --data-urlencode ${shellQuoted(`uid=${uid}`)}` : '';
  return [
    `TOKEN=$(curl -s ${origin}/ --data-urlencode oid=${oid}${user} --data-urlencode "secret=$RT_API_KEY" \\`,
    `  | sed 's/.*"jwt":"\\([^"]*\\)".*/\\1/')`,
    `curl -s ${origin}/v1/extension/request/ext-reliable-tasking -H "Authorization: Bearer $TOKEN" \\`,
    `  --data-urlencode oid=${oid} --data-urlencode action=task \\`,
    `  --data-urlencode ${shellQuoted(`data=${JSON.stringify(data)}`)}`,
  ].join('\n');
}

function commandLine({ oid, origin, uid }: Where, draft: Draft): string {
  const options = [
    `--selector ${shellQuoted(targetOf(draft))}`,
    ...(draft.context ? [`--context ${shellQuoted(draft.context)}`] : []),
    `--ttl ${ttlSeconds(draft)}s`,
  ];
  return [
    `export RT_URL=${origin} RT_OID=${oid}${uid ? ` RT_UID=${shellQuoted(uid)}` : ''}`,
    `reliable-tasking task ${shellQuoted(draft.command)} ${options.join(' ')}`,
  ].join('\n');
}

function record({ oid }: Where, draft: Draft, { id, issuedAtMs }: Issue): string {
  const value = {
    ...{ action: 'TASK', oid, task_id: id, task: draft.command, selector: targetOf(draft) },
    ...{ context: draft.context || null, ttl: ttlSeconds(draft), issued_at: issuedAtMs, issued_by: 'console' },
    ...{ untask_selector: null, options: null },
  };
  return JSON.stringify(value, null, 2);
}
