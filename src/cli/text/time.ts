/** Times for people. Programs get Unix ms (`--json`, csv). Pure. */
import { durationText } from './duration.ts';
import { visible } from './table.ts';

/** In UTC, like the other times of the API. */
export const timeText = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;

/** The same for a time in the API's format for sensors; '' if it is unknown. */
export const utcText = (text: string): string => (text === '' ? '' : `${visible(text)}Z`);

/** The same, with the remaining time if it is in the future. */
export const endText = (endsAtMs: number, nowMs: number): string =>
  endsAtMs > nowMs ? `${timeText(endsAtMs)}, in ${durationText((endsAtMs - nowMs) / 1000)}` : timeText(endsAtMs);
