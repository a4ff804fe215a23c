/** Formats and parses times by Go's layouts, which write the reference time `2006-01-02 15:04:05`. In UTC, for the parts that logs use. */
import { RuleFault } from '../errors.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const PARTS = /2006|Jan|01|02|15|04|05|\.0{3,9}|Z07:00|MST/g;
const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

const SHOWN: Readonly<Record<string, (date: Date) => string>> = {
  '2006': (date) => pad(date.getUTCFullYear(), 4),
  Jan: (date) => MONTHS[date.getUTCMonth()] as string,
  '01': (date) => pad(date.getUTCMonth() + 1),
  '02': (date) => pad(date.getUTCDate()),
  '15': (date) => pad(date.getUTCHours()),
  '04': (date) => pad(date.getUTCMinutes()),
  '05': (date) => pad(date.getUTCSeconds()),
  'Z07:00': () => 'Z',
  MST: () => 'UTC',
};

/** `epoch_s` and `epoch_ms` are Unix seconds and ms. An empty layout is `epoch_s`. */
export function formatTime(ms: number, layout: string): string {
  if (layout === 'epoch_s' || layout === '') return String(Math.floor(ms / 1000));
  if (layout === 'epoch_ms') return String(ms);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new RuleFault('The time is out of range.');
  return layout.replace(
    PARTS,
    (part) => SHOWN[part]?.(date) ?? `.${pad(date.getUTCMilliseconds(), 3).padEnd(part.length - 1, '0')}`,
  );
}

/** Unix ms of a number (seconds or milliseconds, distinguished by size) or of a text in that layout. */
export function parseTime(value: unknown, layout: string): number {
  if (typeof value === 'number') return Math.abs(value) > 100_000_000_000 ? value : value * 1000;
  const names: string[] = [];
  const pattern = layout.split(PARTS).map((plain) => plain.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const found = layout.match(PARTS) ?? [];
  let source = pattern[0] ?? '';
  found.forEach((part, index) => {
    names.push(part);
    source +=
      (part === 'Jan'
        ? '([A-Z][a-z]{2})'
        : part.startsWith('.')
          ? '(\\.\\d{1,9})'
          : part === 'MST' || part === 'Z07:00'
            ? '(Z|UTC|GMT|\\+00:00)'
            : part === '2006'
              ? '(\\d{4})'
              : '(\\d{2})') + (pattern[index + 1] ?? '');
  });
  const match = new RegExp(`^${source}$`).exec(String(value ?? ''));
  if (match === null || found.length === 0)
    throw new RuleFault(`"${String(value).slice(0, 60)}" is not a time in the layout "${layout.slice(0, 60)}".`);
  const at = (part: string, fallback: number): number => {
    const index = names.indexOf(part);
    return index === -1 ? fallback : Number(match[index + 1]);
  };
  const fraction = names.findIndex((part) => part.startsWith('.'));
  const month = names.includes('Jan') ? MONTHS.indexOf(match[names.indexOf('Jan') + 1] ?? '') : at('01', 1) - 1;
  const ms = fraction === -1 ? 0 : Math.floor(Number(`0${match[fraction + 1]}`) * 1000);
  return Date.UTC(at('2006', 1970), month, at('02', 1), at('15', 0), at('04', 0), at('05', 0), ms);
}
