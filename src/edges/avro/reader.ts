/** Decodes one record by one reader schema, from whichever known schema its header names. The form of the bytes is checked before
 *  avsc gets them. Anything but one whole record is a CodecError. */
import type { Resolver, Type } from 'avsc';
import type { RecordName } from '../../model/records.ts';
import { CodecError, messageOf } from './error.ts';
import { fingerprintText } from './fingerprint.ts';
import { fingerprintIn, framingOf, REGISTRY_BYTES, registryIdIn, SINGLE_OBJECT_BYTES } from './framing.ts';
import type { Registry } from './registry.ts';
import { currentSchema, parseSchema, type SchemaVersion, schemaHistory } from './schema-files.ts';
import { type WellFormedCheck, wellFormedCheck } from './well-formed.ts';

/** A schema that wrote records: how to check their form, and how to read them as the newest. */
interface Source {
  version: SchemaVersion;
  check: WellFormedCheck;
}

/** One writer schema as read by one reader schema. */
interface Reading {
  check: WellFormedCheck;
  /** Absent: the writer schema is the reader's own. */
  resolver: Resolver | undefined;
}

/** One record's schemas. */
export interface RecordSchemas {
  current: SchemaVersion;
  /** The newest first: nearly every record is written with it. */
  sources: Source[];
}

/** The schemas of a record as they are in schemas/. */
export function readSchemas(name: RecordName): RecordSchemas {
  return recordSchemas(currentSchema(name), schemaHistory(name));
}

/** `history` is oldest first. */
export function recordSchemas(current: SchemaVersion, history: readonly SchemaVersion[]): RecordSchemas {
  const versions = [current, ...history.toReversed()];
  return { current, sources: versions.map((version) => ({ version, check: wellFormedCheck(version.type) })) };
}

type Fields = { name: string; type: unknown }[];

/** The schema of a record with these fields alone; of a field that is a record itself (or null), those in `inner`. */
export function projection(
  { schema }: SchemaVersion,
  fields: readonly string[],
  inner: Readonly<Partial<Record<string, readonly string[]>>> = {},
): Type {
  const record = schema as { fields: Fields };
  const kept = record.fields.filter(({ name }) => fields.includes(name));
  const cut = kept.map((field) =>
    inner[field.name] ? { ...field, type: cutType(field.type, inner[field.name]!) } : field,
  );
  return parseSchema({ ...record, fields: cut } as never);
}

function cutType(type: unknown, fields: readonly string[]): unknown {
  if (Array.isArray(type)) return type.map((branch) => cutType(branch, fields));
  if (typeof type !== 'object' || type === null || !('fields' in type)) return type;
  return { ...type, fields: (type.fields as Fields).filter(({ name }) => fields.includes(name)) };
}

/** Decodes one record by one reader schema; a schema of the registry is resolved at its first record.
 *  Throws as Codec.decode does. */
export function createReader(name: RecordName, own: RecordSchemas, reader: Type, registry?: Registry) {
  const readings = own.sources.map(({ version, check }) => ({
    ...version.fingerprint,
    check,
    resolver: reader === version.type ? undefined : reader.createResolver(version.type),
  }));
  const ofRegistry = new Map<number, Reading>();

  function singleObject(value: Buffer): Reading {
    const { high, low } = fingerprintIn(value);
    for (const reading of readings) if (reading.low === low && reading.high === high) return reading;
    const text = fingerprintText({ high, low });
    throw new CodecError('schema_unknown', `no version of ${name} has the fingerprint ${text}`);
  }

  function registered(value: Buffer): Reading {
    const id = registryIdIn(value)!;
    const made = ofRegistry.get(id);
    if (made) return made;
    if (!registry) {
      throw new CodecError(
        'schema_unknown',
        `written with a schema registry (id ${id}), and SCHEMA_REGISTRY_URL is not set`,
      );
    }
    const reading = readingOf(name, id, reader, registry.writer(id));
    ofRegistry.set(id, reading);
    return reading;
  }

  return (value: Buffer): unknown => {
    const single = framingOf(value) === 'single-object';
    const { check, resolver } = single ? singleObject(value) : registered(value);
    const start = single ? SINGLE_OBJECT_BYTES : REGISTRY_BYTES;
    try {
      check(value, start);
      // The check has proven that the bytes are one whole value; with `true` avsc may stop at the last field asked for.
      return reader.fromBuffer(value.subarray(start), resolver, true);
    } catch (error) {
      throw new CodecError('record_undecodable', `not a ${name}: ${messageOf(error)}`, error);
    }
  };
}

function readingOf(name: RecordName, id: number, reader: Type, writer: Type): Reading {
  try {
    return { check: wellFormedCheck(writer), resolver: reader.createResolver(writer) };
  } catch (error) {
    throw new CodecError('record_undecodable', `schema id ${id} can't be read as ${name}: ${messageOf(error)}`, error);
  }
}
