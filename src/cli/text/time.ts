/** Moments as people read them; programs get Unix ms (`--json`, csv). Pure. */
import { durationText } from './duration.ts';
import { visible } from './table.ts';

/** UTC, as the API's other times are. */
export const timeText = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;

/** The same of a time as the API writes it for sensors; '' where it is not known. */
export const utcText = (text: string): string => (text === '' ? '' : `${visible(text)}Z`);

/** The same, and how far away it is where it is still to come. */
export const endText = (endsAtMs: number, nowMs: number): string =>
  endsAtMs > nowMs ? `${timeText(endsAtMs)}, in ${durationText((endsAtMs - nowMs) / 1000)}` : timeText(endsAtMs);
