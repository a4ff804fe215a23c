/** Runs the examples of docs/selectors.md, and compares its tables with the operators, fields and error codes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SELECTOR_ERROR_CODES, SelectorError } from '../../src/selector/errors.ts';
import { compileSelector } from '../../src/selector/evaluate/compile.ts';
import { checkSelector } from '../../src/selector/language/check.ts';
import { COMPARISON_OPERATORS, COMPARISONS, STATE_OPERATORS } from '../../src/selector/operators/table.ts';
import type { SelectorRecord } from '../../src/selector/predicate.ts';
import { SENSOR_FIELD_NAMES } from '../../src/selector/sensor/fields.ts';

const page = readFileSync(new URL('../../docs/selectors.md', import.meta.url), 'utf8');
const blocks = (info: string) =>
  page.split(/^```/m).flatMap((block) => (block.startsWith(`${info}\n`) ? [block.slice(info.length + 1)] : []));
const sensors = JSON.parse(blocks('json sensors').join('')) as SelectorRecord[];
const examples = blocks('selectors').flatMap((block) => block.trim().split('\n'));

function outcome(selector: string): string {
  try {
    const predicate = compileSelector(checkSelector(selector).ast);
    const selected = sensors.filter((sensor) => predicate(sensor) === true).map((sensor) => sensor.sid);
    return selected.length === 0 ? 'nobody' : selected.join(', ');
  } catch (error) {
    if (error instanceof SelectorError) return `${error.code}, column ${error.column}`;
    throw error;
  }
}

describe('docs/selectors.md', () => {
  it('has all examples', () => {
    expect(sensors).toHaveLength(4);
    expect(examples.length).toBeGreaterThan(45);
  });

  it.each(examples)('%s', (line) => {
    const [selector = '', expected] = line.split(/\s+-> /);
    expect(outcome(selector)).toBe(expected);
  });

  it('lists every error code with its sentence, every field and every operator', () => {
    const rows = [...page.matchAll(/^\| `(selector_\w+)` \| (.+) \|$/gm)].map(([, code, sentence]) => [code, sentence]);
    expect(Object.fromEntries(rows)).toEqual(SELECTOR_ERROR_CODES);
    for (const field of SENSOR_FIELD_NAMES) expect(page).toContain(`\`${field}\``);
    const operators = page.slice(page.indexOf('## Operators'), page.indexOf('## Values and quotes'));
    const code = [...operators.matchAll(/`([^`]+)`/g)].map(([, text]) => ` ${text} `);
    const swapped = COMPARISON_OPERATORS.flatMap((operator) => COMPARISONS[operator].swappedWord ?? []);
    const states = STATE_OPERATORS.map((state) => `is ${state}`);
    for (const operator of [...COMPARISON_OPERATORS, ...swapped, ...states]) {
      expect(code).toContainEqual(expect.stringContaining(` ${operator} `));
    }
  });
});
