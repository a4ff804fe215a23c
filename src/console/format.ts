/** Numbers, times and ages as people read them. */
const UNITS: readonly [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `3 d 4 h`, `12 min`, `now`: two units at most. */
export function span(ms: number): string {
  let seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds === 0) return 'now';
  const parts: string[] = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count === 0 && parts.length === 0) continue;
    if (count > 0) parts.push(`${count} ${unit}`);
    seconds -= count * size;
    if (parts.length === 2 || unit === 'min') break;
  }
  return parts.join(' ');
}

export const ago = (atMs: number, nowMs: number): string => {
  const text = span(nowMs - atMs);
  return text === 'now' ? 'just now' : `${text} ago`;
};

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
export const when = (atMs: number): string => clock.format(atMs);

const whole = new Intl.NumberFormat('en');
export const count = (value: number): string => whole.format(value);

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

const SIZES: readonly [number, string][] = [
  [1024 * 1024, 'MiB'],
  [1024, 'KiB'],
];

/** `812 B`, `3.4 KiB`. */
export const size = (bytes: number): string => {
  const [unit, name] = SIZES.find(([least]) => bytes >= least) ?? [1, 'B'];
  return `${unit === 1 ? bytes : (bytes / unit).toFixed(1)} ${name}`;
};

const SHOWN_MAX = 300;
/** Invisible characters, and those that change the text direction: with them a name could look like another one. Joiners are
 *  excluded, because scripts and emoji need them. */
const HIDDEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** A text from outside, for one line of a page: cut if it is long, with hidden characters spelled out, as in `‹202E›`. */
export function shown(text: string, max = SHOWN_MAX): string {
  const cut = text.length > max ? `${text.slice(0, max)} …` : text;
  return cut.replace(
    HIDDEN,
    (one) => `‹${(one.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}›`,
  );
}
