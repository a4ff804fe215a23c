/** Parses durations (`90`, `15m`, `1h30m`, `2w`) and formats them (`6d 23h`). Pure. */
import { usageError } from '../errors.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

const PARTS = /(\d{1,10})([smhdw])/g;
const WHOLE = /^(?:\d{1,10}[smhdw])+$/;

/** Returns whole seconds. A number without a unit is in seconds. Throws a usage error on anything else. */
export function parseDuration(text: string): number {
  const plain = text.trim().toLowerCase();
  if (/^\d{1,10}$/.test(plain)) return Number(plain);
  if (!WHOLE.test(plain)) {
    throw usageError(`'${text}' is not a duration.`, 'Write seconds (3600) or units: 90s, 15m, 1h30m, 7d, 2w.');
  }
  let seconds = 0;
  for (const [, count, unit] of plain.matchAll(PARTS)) seconds += Number(count) * (SECONDS[unit as string] as number);
  return seconds;
}

/** The two largest units: `45s`, `59m 30s`, `6d 23h`. `0s` below one second. */
export function durationText(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = SECONDS[unit] as number;
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    rest -= count * size;
  }
  return parts.slice(0, 2).join(' ') || '0s';
}
