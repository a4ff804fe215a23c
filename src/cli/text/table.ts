/** Tables for people: two spaces between columns, no lines, dim headers. Cells are truncated so that a row fits on one line. */
import Table from 'cli-table3';
import type { Paint } from '../io.ts';

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

/** Ends with a line break. An empty table has only the header. */
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

/** Facts of one object: a name and a value per line. */
export function facts(pairs: readonly (readonly [string, string])[], paint: Paint): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${value}\n`).join('');
}

/** At most `width` characters on one line. The last one is … if text is missing. Control characters are escaped. */
export function clip(text: string, width: number): string {
  const line = visible(text);
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, Math.max(width - 1, 0)).join('')}…`;
}

/** Escapes control characters, so that text of others cannot move the cursor or colour the terminal. */
export const visible = (text: string): string =>
  text.replace(/\p{Cc}|\p{Cf}/gu, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
