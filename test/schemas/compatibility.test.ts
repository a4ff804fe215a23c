import { existsSync, readdirSync } from 'node:fs';
import type { Schema } from 'avsc';
import { describe, expect, test } from 'vitest';
import { checkCompatibility, incompatibility } from '../../src/edges/avro/compatibility.ts';
import { parseSchema } from '../../src/edges/avro/schema-files.ts';
import { RECORD_NAMES } from '../../src/model/records.ts';

const results = checkCompatibility();

describe('the schemas', () => {
  test('of every record are there, with a history from version 1 on, and no others', () => {
    const files = readdirSync('schemas').filter((file) => file.endsWith('.avsc'));
    expect(files.toSorted()).toEqual(RECORD_NAMES.map((name) => `${name}.avsc`).toSorted());
    for (const name of RECORD_NAMES) {
      const versions = results.filter(({ record }) => record === name).map(({ version }) => version);
      expect(versions).toEqual(versions.map((_, i) => i + 1));
      expect(existsSync(`schemas/history/${name}/1.avsc`)).toBe(true);
    }
  });

  test.each(results)('$record reads what its version $version wrote', ({ ok, error }) => {
    expect(error).toBeUndefined();
    expect(ok).toBe(true);
  });
});

interface Field {
  name: string;
  type: unknown;
  default?: unknown;
  aliases?: string[];
}

function recordOf(fields: Field[], name = 'reliabletasking.Planted') {
  return parseSchema({ type: 'record', name, fields } as unknown as Schema);
}

const kind = (symbols: string[]) => ({ type: 'enum', name: 'Kind', symbols });
const inner = (fields: Field[]) => ({ type: 'record', name: 'Inner', fields });

const id: Field = { name: 'id', type: 'string' };
const note: Field = { name: 'note', type: ['null', 'string'], default: null };
const count: Field = { name: 'count', type: 'int' };
const part: Field = { name: 'part', type: inner([id, count]) };
const earlier = recordOf([id, note, count, part, { name: 'kind', type: kind(['A', 'B']) }]);

/** The earlier record with one field replaced (or removed, or added). */
function changed(name: string, ...now: Field[]) {
  const kinds: Field = { name: 'kind', type: kind(['A', 'B']) };
  return recordOf([...[id, note, count, part, kinds].filter((field) => field.name !== name), ...now]);
}

describe('a planted change that breaks readers is caught:', () => {
  test.each([
    ['a new field without a default', changed('', { name: 'more', type: 'string' }), 'more'],
    ['a field without a default is removed', changed('count'), 'count had no default and was removed'],
    ['a field is renamed', changed('count', { name: 'number', type: 'int' }), 'number'],
    ['a type becomes another', changed('id', { name: 'id', type: 'long' }), 'long'],
    ['a type becomes narrower', changed('note', { name: 'note', type: 'string', default: '' }), 'null'],
    ['an enum loses a symbol', changed('kind', { name: 'kind', type: kind(['A']) }), 'Kind'],
    [
      'a record inside loses a field',
      changed('part', { name: 'part', type: inner([id]) }),
      'reliabletasking.Inner.count had no default',
    ],
    ['the record has another name', recordOf([id], 'reliabletasking.Other'), 'reliabletasking.Other'],
  ])('%s', (_, newest, message) => {
    expect(incompatibility(newest, earlier)).toContain(message);
  });
});

describe('a change that every reader gets along with passes:', () => {
  test.each([
    ['nothing', changed('')],
    ['a new field with a default', changed('', { name: 'more', type: ['null', 'string'], default: null })],
    ['a field with a default is removed', changed('note')],
    [
      'a renamed field with the earlier name as its alias',
      changed('count', { ...count, name: 'number', aliases: ['count'] }),
    ],
    ['int becomes long', changed('count', { name: 'count', type: 'long' })],
    ['an enum gains a symbol', changed('kind', { name: 'kind', type: kind(['A', 'B', 'C']) })],
    ['a field may be null from now on', changed('id', { name: 'id', type: ['null', 'string'] })],
  ])('%s', (_, newest) => {
    expect(incompatibility(newest, earlier)).toBeUndefined();
  });
});
