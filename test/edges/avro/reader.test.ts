import type { Schema } from 'avsc';
import { describe, expect, test } from 'vitest';
import { singleObjectHeader } from '../../../src/edges/avro/framing.ts';
import { createReader, projection, recordSchemas } from '../../../src/edges/avro/reader.ts';
import { currentSchema, type SchemaVersion, schemaVersion } from '../../../src/edges/avro/schema-files.ts';
import { plain, samples } from './samples.ts';

/** TaskCommand as it could have been: fewer fields, another order, a narrower ttl, one field that has gone since. */
const first = schemaVersion(
  {
    type: 'record',
    name: 'TaskCommand',
    namespace: 'reliabletasking',
    fields: [
      { name: 'task_id', type: 'string' },
      { name: 'oid', type: 'string' },
      { name: 'labels', type: { type: 'array', items: 'string' }, default: [] },
      { name: 'action', type: { type: 'enum', name: 'TaskAction', symbols: ['TASK'] } },
      { name: 'ttl', type: 'int' },
      { name: 'issued_at', type: 'long' },
    ],
  } as unknown as Schema,
  1,
);

function written(by: SchemaVersion, value: object): Buffer {
  return Buffer.concat([singleObjectHeader(by.fingerprint), by.type.toBuffer(value)]);
}

const { action, oid, task_id, issued_at } = samples.TaskCommand;
const old = written(first, { action, oid, task_id, issued_at, ttl: 60, labels: ['a', 'b'] });

describe('a reader with a history', () => {
  const current = currentSchema('TaskCommand');
  const own = recordSchemas(current, [first]);
  const read = createReader('TaskCommand', own, current.type);

  test('reads what an earlier version wrote, with defaults for what it did not have', () => {
    expect(plain(read(old))).toEqual({
      action,
      oid,
      task_id,
      issued_at,
      ttl: 60,
      issued_by: '',
      task: null,
      selector: null,
      context: null,
      untask_selector: null,
      options: null,
    });
  });

  test('reads records of both versions in turn', () => {
    const now = written(current, samples.TaskCommand);
    for (const value of [now, old, now]) expect(read(value)).toMatchObject({ task_id, issued_at });
    expect(plain(read(now))).toEqual(samples.TaskCommand);
  });

  test('reads a few fields of an earlier version', () => {
    const few = createReader('TaskCommand', own, projection(current, ['ttl', 'options']));
    expect(plain(few(old))).toEqual({ ttl: 60, options: null });
  });

  test('checks the form of the fields that the newest version no longer has', () => {
    const broken = Buffer.from(old);
    // The count of labels, behind the header and the two ids.
    broken[10 + 1 + task_id.length + 1 + oid.length] = 0x7e;
    expect(() => read(broken)).toThrow(expect.objectContaining({ code: 'record_undecodable' }));
  });

  test('does not read a version that is not in its history', () => {
    const without = createReader('TaskCommand', recordSchemas(current, []), current.type);
    expect(() => without(old)).toThrow(expect.objectContaining({ code: 'schema_unknown' }));
  });
});
