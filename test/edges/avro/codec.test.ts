import type avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCodec } from '../../../src/edges/avro/codec.ts';
import { CodecError } from '../../../src/edges/avro/error.ts';
import { singleObjectHeader } from '../../../src/edges/avro/framing.ts';
import { currentSchema } from '../../../src/edges/avro/schema-files.ts';
import { RECORD_NAMES, type SensorPresence, type TaskCommand } from '../../../src/model/records.ts';
import { plain, samples, topicOf } from './samples.ts';

const codec = createCodec({ topicOf });
const LONG_MAX = 2 ** 52 - 1;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CodecError) return error.code;
    throw error;
  }
  return 'none';
}

describe('what is written', () => {
  test.each(RECORD_NAMES)('%s comes back as it was', (name) => {
    expect(plain(codec.decode(name, codec.encode(name, samples[name])))).toEqual(samples[name]);
  });

  test.each(RECORD_NAMES)('%s has the fields of its interface', (name) => {
    const type = currentSchema(name).type as avro.types.RecordType;
    expect(Object.keys(samples[name])).toEqual(type.fields.map((field) => field.name));
  });

  test('begins with c3 01 and the fingerprint in little-endian order', () => {
    const header = codec.encode('TaskCommand', samples.TaskCommand).subarray(0, 10).toString('hex');
    expect(header).toBe('c301' + '2b1a4c872744c4ca');
  });

  test('any text and any time comes back as it was', () => {
    const text = fc.string({ unit: 'binary' });
    const command = fc.record({
      task_id: text,
      task: fc.option(text),
      selector: fc.option(text),
      ttl: fc.integer({ min: -LONG_MAX, max: LONG_MAX }),
      issued_at: fc.integer({ min: 0, max: LONG_MAX }),
    });
    fc.assert(
      fc.property(command, (fields) => {
        const value = { ...samples.TaskCommand, ...fields };
        expect(plain(codec.decode('TaskCommand', codec.encode('TaskCommand', value)))).toEqual(value);
      }),
    );
  });

  test('a record larger than the scratch buffer comes back whole, and so does the one after it', () => {
    const large = { ...samples.SensorEvent, event: JSON.stringify({ x: 'ü'.repeat(3_000_000) }) };
    expect(codec.decode('SensorEvent', codec.encode('SensorEvent', large)).event).toBe(large.event);
    const small = codec.encode('SensorEvent', samples.SensorEvent);
    expect(plain(codec.decode('SensorEvent', small))).toEqual(samples.SensorEvent);
  });

  test('does not change when the next record is written', () => {
    const first = codec.encode('TaskCommand', samples.TaskCommand);
    const copy = Buffer.from(first);
    codec.encode('TaskCommand', { ...samples.TaskCommand, task_id: 'another' });
    expect(first.equals(copy)).toBe(true);
  });

  test.each([
    [{ ttl: 1.5 }, 'TaskCommand.ttl'],
    [{ ttl: Number.NaN }, 'TaskCommand.ttl'],
    [{ task: 5 }, 'TaskCommand.task'],
    [{ oid: undefined }, 'TaskCommand.oid is missing'],
    [{ action: 'DELETE' }, 'TaskCommand.action'],
  ])('%o is refused, and the field named', (wrong, message) => {
    const write = () => codec.encode('TaskCommand', { ...samples.TaskCommand, ...wrong } as TaskCommand);
    expect(codeOf(write)).toBe('record_invalid');
    expect(write).toThrow(message);
  });

  test('a refused value is not quoted, since it may be a secret', () => {
    const write = () => codec.encode('OrgSetting', { ...samples.OrgSetting, value: ['hunter2'] } as never);
    expect(write).toThrow(/^OrgSetting\.value is of type object; it takes "string"$/);
  });

  test('a field inside a record is named with its path', () => {
    const sensor = { ...samples.SensorPresence.sensor, tags: ['a', 7] };
    const wrong = { ...samples.SensorPresence, sensor } as unknown as SensorPresence;
    expect(() => codec.encode('SensorPresence', wrong)).toThrow('SensorPresence.sensor.tags.1 is of type number');
  });
});

describe('what is read', () => {
  const bytes = codec.encode('SensorPresence', samples.SensorPresence);

  test('fields that were left out have the defaults of the schema', () => {
    const { oid, task_id, issued_at } = samples.TaskCommand;
    const least = codec.encode('TaskCommand', { action: 'TASK', oid, task_id, issued_at } as TaskCommand);
    expect(codec.decode('TaskCommand', least)).toMatchObject({ ttl: 604800, issued_by: '', task: null, options: null });
  });

  test('every way of cutting a record off is an error', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => codec.decode('SensorPresence', bytes.subarray(0, length)))).toBe('record_undecodable');
    }
  });

  test('bytes after the record are an error', () => {
    const longer = Buffer.concat([bytes, Buffer.from([0])]);
    expect(codeOf(() => codec.decode('SensorPresence', longer))).toBe('record_undecodable');
  });

  test.each([
    ['no header', Buffer.from('{"action": "TASK"}'), 'record_undecodable'],
    ['an empty value', Buffer.alloc(0), 'record_undecodable'],
    ['an unknown fingerprint', Buffer.concat([Buffer.from('c3010102030405060708', 'hex'), bytes]), 'schema_unknown'],
    ['another record', codec.encode('SensorEvent', samples.SensorEvent), 'schema_unknown'],
    ['a registry id, without a registry', Buffer.from('0000000007', 'hex'), 'schema_unknown'],
  ])('%s is an error', (_, value, code) => {
    expect(codeOf(() => codec.decode('SensorPresence', value))).toBe(code);
  });

  test('a registry id without a registry says which setting is missing', () => {
    expect(() => codec.decode('TaskCommand', Buffer.from('000000000700', 'hex'))).toThrow('SCHEMA_REGISTRY_URL');
  });

  test('a long that avsc would read as another number is an error', () => {
    const value = codec.encode('TaskCommand', { ...samples.TaskCommand, ttl: -(2 ** 52) - 1 });
    expect(codeOf(() => codec.decode('TaskCommand', value))).toBe('record_undecodable');
  });

  test('any bytes behind a good header give a record or a CodecError', () => {
    const names = fc.constantFrom(...RECORD_NAMES);
    fc.assert(
      fc.property(names, fc.uint8Array({ maxLength: 200 }), (name, body) => {
        const value = Buffer.concat([singleObjectHeader(currentSchema(name).fingerprint), body]);
        expect(['none', 'record_undecodable']).toContain(codeOf(() => codec.decode(name, value)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('a record with changed bytes gives a record that can be written again, or a CodecError', () => {
    const change = fc.tuple(fc.nat(bytes.length - 11), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const value = Buffer.from(bytes);
        for (const [at, byte] of changes) value[10 + at] = byte;
        const code = codeOf(() => codec.encode('SensorPresence', codec.decode('SensorPresence', value)));
        expect(['none', 'record_undecodable']).toContain(code);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a decoder of some fields', () => {
  const bytes = codec.encode('SensorPresence', samples.SensorPresence);

  test('reads these fields and nothing else', () => {
    const first = codec.decoder('SensorPresence', ['event', 'sid']);
    const last = codec.decoder('SensorPresence', ['oid', 'try_now']);
    expect(plain(first(bytes))).toEqual({ event: 'CONNECTED', sid: 'sensor-123-abc' });
    expect(plain(last(bytes))).toEqual({ oid: samples.SensorPresence.oid, try_now: true });
  });

  test('reads of a field that is a record only what is asked for, and null where there is none', () => {
    const inner = codec.decoder('SensorPresence', ['sensor'], { sensor: ['hostname', 'tags'] });
    const { hostname, tags } = samples.SensorPresence.sensor!;
    expect(plain(inner(bytes))).toEqual({ sensor: { hostname, tags } });
    const none = codec.decoder('SensorPresence', ['sensor'], { sensor: [] });
    expect(plain(none(bytes))).toEqual({ sensor: {} });
    expect(plain(inner(codec.encode('SensorPresence', { ...samples.SensorPresence, sensor: null })))).toEqual({
      sensor: null,
    });
  });

  test('refuses a record whose other fields are broken', () => {
    const first = codec.decoder('SensorPresence', ['event']);
    expect(codeOf(() => first(bytes.subarray(0, bytes.length - 1)))).toBe('record_undecodable');
    expect(codeOf(() => first(Buffer.concat([bytes, bytes])))).toBe('record_undecodable');
  });
});
