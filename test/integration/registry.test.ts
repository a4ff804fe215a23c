import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Schema } from 'avsc';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { createCodec } from '../../src/edges/avro/codec.ts';
import { registryHeader } from '../../src/edges/avro/framing.ts';
import { Registry } from '../../src/edges/avro/registry.ts';
import { currentSchema, parseSchema } from '../../src/edges/avro/schema-files.ts';
import { RECORD_NAMES, type RecordName } from '../../src/model/records.ts';
import { startLocalRegistry } from '../../src/stack/local/registry.ts';
import { plain, samples } from '../edges/avro/samples.ts';

let url = process.env.SCHEMA_REGISTRY_URL ?? '';
let missing = '';
let stop = async () => {};
const dir = mkdtempSync(join(tmpdir(), 'registry-'));

beforeAll(async () => {
  if (url) return;
  const start = await startLocalRegistry({ dir, removeAfterDeath: true });
  if (start.started) ({ url, stop } = start);
  else missing = start.reason;
}, 300_000);

afterAll(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

const needsRegistry = (ctx: TestContext) => ctx.skip(missing !== '', missing);

/** Topics, and so subjects, that nobody has used: the registry may be one that stays. */
function newTopics(): Record<RecordName, string> {
  const prefix = `registry-test-${randomUUID()}-`;
  return Object.fromEntries(RECORD_NAMES.map((name) => [name, prefix + name])) as Record<RecordName, string>;
}

async function levelOf(subject: string): Promise<unknown> {
  return (await fetch(`${url}/config/${subject}`)).json();
}

describe('a schema registry', () => {
  test('gives every record an id, under subjects set to BACKWARD, and another process reads what was written', async (ctx) => {
    needsRegistry(ctx);
    const topicOf = newTopics();
    const [writer, reader] = [1, 2].map(() => createCodec({ schemaRegistryUrl: url, topicOf }));
    await writer!.start();
    for (const name of RECORD_NAMES) {
      const value = writer!.encode(name, samples[name]);
      expect(value[0]).toBe(0);
      await reader!.resolve([value]);
      expect(plain(reader!.decode(name, value))).toEqual(samples[name]);
      expect(await levelOf(`${topicOf[name]}-value`)).toEqual({ compatibilityLevel: 'BACKWARD' });
    }
  });

  test('reports the compatibility of a schema with a subject, and stores nothing of the question', async (ctx) => {
    needsRegistry(ctx);
    const registry = new Registry(url);
    const subject = `registry-test-${randomUUID()}-value`;
    const { schema } = currentSchema('TaskCommand');
    expect(await registry.inspect(subject, schema)).toEqual({ state: 'new', level: null });
    await registry.register(subject, schema);
    expect(await registry.inspect(subject, schema)).toEqual({ state: 'registered', level: 'BACKWARD' });
    const other = { ...(schema as object), fields: [{ name: 'must', type: 'string' }] } as Schema;
    expect(await registry.inspect(subject, other)).toEqual({ state: 'incompatible', level: 'BACKWARD' });
  });

  test('does not keep single-object encoding from being read', async (ctx) => {
    needsRegistry(ctx);
    const topicOf = newTopics();
    const codec = createCodec({ schemaRegistryUrl: url, topicOf });
    await codec.start();
    const values = [codec, createCodec({ topicOf })].map((one) => one.encode('SensorPresence', samples.SensorPresence));
    expect(values.map((value) => value[0])).toEqual([0x00, 0xc3]);
    await codec.resolve(values);
    for (const value of values) expect(plain(codec.decode('SensorPresence', value))).toEqual(samples.SensorPresence);
  });

  test('takes the schemas of several processes that start at once', async (ctx) => {
    needsRegistry(ctx);
    const topicOf = newTopics();
    const codecs = [1, 2, 3].map(() => createCodec({ schemaRegistryUrl: url, topicOf }));
    await Promise.all(codecs.map((codec) => codec.start()));
    const [first, ...others] = codecs.map((codec) => codec.encode('TaskEvent', samples.TaskEvent).toString('hex'));
    for (const other of others) expect(other).toBe(first);
    expect(await levelOf(`${topicOf.TaskEvent}-value`)).toEqual({ compatibilityLevel: 'BACKWARD' });
  });

  test('refuses a change that can not read what was written before', async (ctx) => {
    needsRegistry(ctx);
    const topicOf = newTopics();
    await createCodec({ schemaRegistryUrl: url, topicOf }).start();
    const command = currentSchema('TaskCommand').schema as unknown as { fields: unknown[] };
    const changed = { ...command, fields: [...command.fields, { name: 'added', type: 'string' }] } as unknown as Schema;
    const registering = new Registry(url).register(`${topicOf.TaskCommand}-value`, changed);
    await expect(registering).rejects.toMatchObject({ code: 'schema_incompatible' });
  });

  test('takes our schema over an earlier one of the subject, and its records are read with defaults', async (ctx) => {
    needsRegistry(ctx);
    const topicOf = newTopics();
    const command = currentSchema('TaskCommand').schema as unknown as { fields: { name: string }[] };
    const fields = command.fields.filter(({ name }) => name !== 'options' && name !== 'issued_by');
    const earlier = { ...command, fields } as unknown as Schema;
    const id = await new Registry(url).register(`${topicOf.TaskCommand}-value`, earlier);
    const codec = createCodec({ schemaRegistryUrl: url, topicOf });
    await codec.start();
    const value = Buffer.concat([registryHeader(id), parseSchema(earlier).toBuffer(samples.TaskCommand)]);
    await codec.resolve([value]);
    const expected = { ...samples.TaskCommand, options: null, issued_by: '' };
    expect(plain(codec.decode('TaskCommand', value))).toEqual(expected);
  });

  test('that does not know an id makes the record an error, not the batch', async (ctx) => {
    needsRegistry(ctx);
    const codec = createCodec({ schemaRegistryUrl: url, topicOf: newTopics() });
    await codec.start();
    const [good, bad] = [codec.encode('TaskEvent', samples.TaskEvent), Buffer.from('007fffffff00', 'hex')];
    await codec.resolve([bad, good]);
    expect(() => codec.decode('TaskEvent', bad)).toThrow(expect.objectContaining({ code: 'schema_unknown' }));
    expect(plain(codec.decode('TaskEvent', good))).toEqual(samples.TaskEvent);
  });
});
