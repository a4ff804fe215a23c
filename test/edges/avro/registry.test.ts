import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCodec } from '../../../src/edges/avro/codec.ts';
import { registryHeader, SINGLE_OBJECT_BYTES } from '../../../src/edges/avro/framing.ts';
import { currentSchema } from '../../../src/edges/avro/schema-files.ts';
import { RECORD_NAMES } from '../../../src/model/records.ts';
import { type FakeRegistry, startFakeRegistry } from './fake-registry.ts';
import { plain, samples, topicOf } from './samples.ts';

let registry: FakeRegistry;

beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(async () => {
  await registry.stop();
});

const withRegistry = () => createCodec({ schemaRegistryUrl: registry.url, topicOf });
const command = samples.TaskCommand;

/** A value as a producer with this schema id would write it; the body is that of our own schema. */
function written(id: number): Buffer {
  const body = createCodec({ topicOf }).encode('TaskCommand', command).subarray(SINGLE_OBJECT_BYTES);
  return Buffer.concat([registryHeader(id), body]);
}

describe('with a registry', () => {
  test('each record is registered under <topic>-value with BACKWARD, and is written with its id', async () => {
    const codec = withRegistry();
    await codec.start();
    for (const name of RECORD_NAMES) {
      expect(registry.levels.get(`${topicOf[name]}-value`)).toBe('BACKWARD');
      const value = codec.encode(name, samples[name]);
      expect(value[0]).toBe(0);
      await codec.resolve([value]);
      expect(plain(codec.decode(name, value))).toEqual(samples[name]);
    }
    expect(registry.schemas.size).toBe(RECORD_NAMES.length);
  });

  test('a second start registers nothing again', async () => {
    const codec = withRegistry();
    await codec.start();
    const before = registry.requests.length;
    await codec.start();
    expect(registry.requests.length).toBe(before);
  });

  test('nothing is written before the start', () => {
    expect(() => withRegistry().encode('TaskCommand', command)).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    );
  });

  test('single-object encoding is still read', () => {
    const value = createCodec({ topicOf }).encode('TaskCommand', command);
    expect(plain(withRegistry().decode('TaskCommand', value))).toEqual(command);
  });

  test('a schema that the registry refuses stops the start', async () => {
    registry.refuse = true;
    await expect(withRegistry().start()).rejects.toMatchObject({ code: 'schema_incompatible', retriable: false });
  });

  test('a subject that was set to another level is left alone: our schema has to be there', async () => {
    const subject = `${topicOf.TaskCommand}-value`;
    registry.levels.set(subject, 'FULL');
    await expect(withRegistry().start()).rejects.toMatchObject({ code: 'schema_incompatible' });
    registry.schemas.set(77, { schema: JSON.stringify(currentSchema('TaskCommand').schema) });
    const codec = withRegistry();
    await codec.start();
    expect(registry.levels.get(subject)).toBe('FULL');
    expect(codec.encode('TaskCommand', command).readUInt32BE(1)).toBe(77);
  });

  test('a subject that an interrupted start has left without a level is set to BACKWARD', async () => {
    const subject = `${topicOf.TaskCommand}-value`;
    registry.levels.set(subject, 'NONE');
    registry.schemas.set(1, { schema: JSON.stringify(currentSchema('TaskCommand').schema) });
    await withRegistry().start();
    expect(registry.levels.get(subject)).toBe('BACKWARD');
  });

  test('a user and a password in the address are sent with every call', async () => {
    const codec = createCodec({ schemaRegistryUrl: registry.url.replace('//', '//us%40er:pass@'), topicOf });
    registry.levels.set(`${topicOf.TaskCommand}-value`, 'NONE');
    registry.schemas.set(1, { schema: JSON.stringify(currentSchema('TaskCommand').schema) });
    await codec.start();
    expect(registry.authorizations).toEqual(new Set([`Basic ${Buffer.from('us@er:pass').toString('base64')}`]));
  });

  test('a registry that is away stops the start, and trying again helps', async () => {
    registry.failWith = 401;
    const codec = withRegistry();
    await expect(codec.start()).rejects.toMatchObject({ code: 'unavailable', retriable: true });
    registry.failWith = undefined;
    await codec.start();
    expect(codec.encode('TaskCommand', command)[0]).toBe(0);
  });
});

describe('a schema id of another producer', () => {
  test('is fetched once for many records and calls', async () => {
    registry.schemas.set(7, { schema: JSON.stringify(currentSchema('TaskCommand').schema) });
    const codec = withRegistry();
    await codec.resolve([written(7), null, written(7)]);
    await codec.resolve([written(7)]);
    expect(registry.requests).toEqual(['GET /schemas/ids/7']);
    expect(plain(codec.decode('TaskCommand', written(7)))).toEqual(command);
    expect(codec.decoder('TaskCommand', ['ttl'])(written(7))).toMatchObject({ ttl: 3600 });
  });

  test('may have fewer and other fields: what is missing has its default', async () => {
    const schema = {
      type: 'record',
      name: 'reliabletasking.TaskCommand',
      fields: [
        { name: 'extra', type: { type: 'array', items: 'string' } },
        { name: 'ambiguous', type: ['int', 'long', { type: 'map', values: 'double' }] },
        { name: 'task_id', type: 'string' },
        { name: 'oid', type: 'string' },
        { name: 'issued_at', type: 'int' },
        { name: 'action', type: { type: 'enum', name: 'TaskAction', symbols: ['UNTASK', 'TASK'] } },
      ],
    };
    registry.schemas.set(9, { schema: JSON.stringify(schema) });
    const value = Buffer.concat([
      registryHeader(9),
      // extra ['x'], ambiguous long 1; task_id 't', oid 'b', issued_at 2, the second symbol.
      Buffer.from('02027800' + '0202' + '0274' + '0262' + '04' + '02', 'hex'),
    ]);
    const codec = withRegistry();
    await codec.resolve([value]);
    expect(codec.decode('TaskCommand', value)).toMatchObject({
      action: 'TASK',
      oid: 'b',
      task_id: 't',
      issued_at: 2,
      ttl: 604800,
      selector: null,
    });
  });

  test('that the registry does not know is an error of the record, and is not asked for again at once', async () => {
    const codec = withRegistry();
    await codec.resolve([written(404)]);
    await codec.resolve([written(404)]);
    expect(registry.requests).toEqual(['GET /schemas/ids/404']);
    expect(() => codec.decode('TaskCommand', written(404))).toThrow(
      expect.objectContaining({ code: 'schema_unknown' }),
    );
  });

  test('of another record, or of no Avro schema, is an error of the record', async () => {
    registry.schemas.set(5, { schema: JSON.stringify(currentSchema('TaskEvent').schema) });
    registry.schemas.set(6, { schema: '{"type": "object"}', schemaType: 'JSON' });
    const codec = withRegistry();
    await codec.resolve([written(5), written(6)]);
    expect(() => codec.decode('TaskCommand', written(5))).toThrow(
      expect.objectContaining({ code: 'record_undecodable' }),
    );
    expect(() => codec.decode('TaskCommand', written(6))).toThrow(expect.objectContaining({ code: 'schema_unknown' }));
  });

  test('does not refuse the record while the registry is away', async () => {
    registry.schemas.set(7, { schema: JSON.stringify(currentSchema('TaskCommand').schema) });
    const codec = withRegistry();
    registry.failWith = 429;
    await expect(codec.resolve([written(7)])).rejects.toMatchObject({ code: 'unavailable' });
    expect(() => codec.decode('TaskCommand', written(7))).toThrow(expect.objectContaining({ code: 'unavailable' }));
    registry.failWith = undefined;
    await codec.resolve([written(7)]);
    expect(plain(codec.decode('TaskCommand', written(7)))).toEqual(command);
  });

  test('does not refuse the record when the registry cannot be reached', async () => {
    const codec = withRegistry();
    await registry.stop();
    await expect(codec.resolve([written(7)])).rejects.toMatchObject({ code: 'unavailable', retriable: true });
  });

  test('that no registry can have given out is an error of the record without a request', async () => {
    const codec = withRegistry();
    await codec.resolve([written(0xffffffff)]);
    expect(registry.requests).toEqual([]);
    expect(() => codec.decode('TaskCommand', written(0xffffffff))).toThrow(
      expect.objectContaining({ code: 'schema_unknown' }),
    );
  });

  test('many at once are fetched a few at a time', async () => {
    const values = Array.from({ length: 100 }, (_, i) => written(1_000 + i));
    const codec = withRegistry();
    await codec.resolve(values);
    expect(new Set(registry.requests).size).toBe(100);
  });
});
