/** Tables for people: columns apart by two spaces, no lines, headers dim. Cells are cut to keep one row on one line. */
import Table from 'cli-table3';
import type { Paint } from '../io.ts';

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

/** Ends with a line break. Rows without a header would be hard to read, so an empty table is its header alone. */
export function table(headers: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const made = new Table({
    head: headers.map((header) => paint('dim', header)),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  for (const row of rows) made.push([...row]);
  return `${made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** Facts of one thing, a name and a value a line. */
export function facts(pairs: readonly (readonly [string, string])[], paint: Paint): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${value}\n`).join('');
}

/** At most `width` characters on one line, the last one telling that something is missing. Control characters are shown. */
export function clip(text: string, width: number): string {
  const line = visible(text);
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, Math.max(width - 1, 0)).join('')}…`;
}

/** What others wrote must not move the cursor or colour the terminal: control characters become their escapes. */
export const visible = (text: string): string =>
  text.replace(/\p{Cc}|\p{Cf}/gu, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
