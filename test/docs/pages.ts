/** Reads the project's pages for the tests that hold them to the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every page that people read, by its path from the root of the checkout. */
export const pages = (): string[] => [
  'README.md',
  'CHANGELOG.md',
  'schemas/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** What stands below a heading, up to the next one of the same level or above. Throws when there is no such heading. */
export function section(page: string, heading: string): string {
  const level = heading.indexOf(' ');
  const found: string[] = [];
  let isInside = false;
  let isCode = false;
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    const depth = isCode ? 0 : (/^(#+) /.exec(line)?.[1]?.length ?? 0);
    if (depth > 0 && depth <= level) isInside = line === heading;
    else if (isInside) found.push(line);
  }
  if (found.length === 0) throw new Error(`nothing below "${heading}"`);
  return found.join('\n');
}

/** The rows of every table in a text, cell by cell, without heads and rules. */
export function rows(text: string): string[][] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const isHead = /^\|[\s|:-]+\|$/.test(lines[i + 1] ?? '');
    if (!line.startsWith('|') || isHead || /^\|[\s|:-]+\|$/.test(line)) return [];
    return [
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ];
  });
}

/** The text without the backticks around it. */
export const plain = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');
