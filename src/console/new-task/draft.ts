/** The draft of a task: what is missing in it, and what a click on the button does. Pure. */
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
export const TTL_RULE = 'a whole number, at least 1, at most ten years';

/** NaN if the text does not follow the rule. */
export function ttlSeconds({ ttl, unit }: Draft): number {
  const seconds = Number(ttl) * (TTL_UNITS.find((entry) => entry.unit === unit)?.seconds ?? 1);
  return /^\d{1,9}$/.test(ttl.trim()) && seconds > 0 && seconds <= TTL_MAX_SECONDS ? seconds : Number.NaN;
}

/** The selector of the request; '' if there is none. Only `*` means every sensor. */
export const targetOf = ({ selector }: Draft): string => selector.trim();

/** How many sensors the target matches. */
export type Count = number | 'counting' | 'failed';

/** What is missing in the draft, as a sentence; null if it can be queued. */
export function hindrance(draft: Draft, count: Count): string | null {
  if (draft.command.trim() === '') return 'Enter a command line.';
  if (targetOf(draft) === '') return 'Choose the sensors: enter a selector, or * for every sensor.';
  if (!Number.isFinite(ttlSeconds(draft))) return `Correct the time to live: ${TTL_RULE}.`;
  if (count === 'failed') return 'The sensors cannot be counted. See the reason under “Targets”.';
  return count === 'counting' ? 'Counting the sensors …' : null;
}

export const queueLabel = (sensors: number): string =>
  sensors === 0 ? 'Queue (no sensor matches yet)' : `Queue for ${plural(sensors, 'sensor')}`;

/** What a click does after the sensors are counted once more. `shown` is the number that was clicked, or typed
 *  (`isConfirmed`): a task is never queued for another one. */
export function nextStep(shown: number, now: number, isConfirmed: boolean): 'queue' | 'ask' | 'changed' {
  if (now === shown && (isConfirmed || now <= CONFIRM_ABOVE)) return 'queue';
  return isConfirmed || now > CONFIRM_ABOVE ? 'ask' : 'changed';
}
