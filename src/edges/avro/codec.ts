/** Records to bytes and back. Guarantees:
 *  - written: with a registry the Confluent wire format, without one single-object encoding; always with the newest schema;
 *  - read: both encodings at any time, whichever version in schemas/ or of the registry wrote them, as the newest record;
 *  - any bytes give a record or a CodecError, in time in proportion to their number; nothing after a record is ignored;
 *  - encode and decode never wait: what they need from the registry is fetched before, by `start` and `resolve`.
 *  The registry client's own encode is asynchronous and would make a promise for each record, so framing is done here. */
import type { Resolver, Type } from 'avsc';
import { RECORD_NAMES, type RecordName, type RecordTypes } from '../../model/records.ts';
import { CodecError, messageOf } from './error.ts';
import { fingerprintText } from './fingerprint.ts';
import {
  fingerprintIn,
  framingOf,
  REGISTRY_BYTES,
  registryHeader,
  registryIdIn,
  SINGLE_OBJECT_BYTES,
  singleObjectHeader,
} from './framing.ts';
import { Registry } from './registry.ts';
import { currentSchema, parseSchema, type SchemaVersion, schemaHistory } from './schema-files.ts';
import { type WellFormedCheck, wellFormedCheck } from './well-formed.ts';

/** Where records come from and go to, as bytes. `name` names the record that is expected; another one is an error. */
export interface Codec {
  /** Registers our schemas when there is a registry; safe twice. @throws CodecError schema_incompatible or unavailable */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** @throws CodecError record_invalid naming the field that does not fit; fields with a default may be undefined.
   *  Longs are exact up to 2^52, beyond that they are refused when read. */
  encode<N extends RecordName>(name: N, value: RecordTypes[N]): Buffer;
  /** Fetches the writer schemas that these values name and that are not known yet; to be called before decode.
   *  @throws CodecError unavailable when the registry can't answer: then try again, the records may be fine. */
  resolve(values: readonly (Buffer | null)[]): Promise<void>;
  /** @throws CodecError record_undecodable, schema_unknown; unavailable if `resolve` was not called with this value. */
  decode<N extends RecordName>(name: N, value: Buffer): RecordTypes[N];
  /** A faster decode of these fields alone; the others are checked for form and skipped. Throws as decode does. */
  decoder<N extends RecordName, F extends keyof RecordTypes[N] & string>(
    name: N,
    fields: readonly F[],
  ): (value: Buffer) => Pick<RecordTypes[N], F>;
}

export interface CodecOptions {
  /** Base URL of a registry with the Confluent API; absent or "": single-object encoding. May carry `user:password@`. */
  schemaRegistryUrl?: string | undefined;
  /** The topic of each record, with its prefix: subjects are `<topic>-value`. */
  topicOf: Readonly<Record<RecordName, string>>;
  log?: { info(fields: object, message: string): void };
}

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
interface RecordSchemas {
  current: SchemaVersion;
  /** The newest first: nearly every record is written with it. */
  sources: Source[];
}

const SCRATCH_BYTES = 64 * 1024;
const SCRATCH_KEPT_BYTES = 4 * 1024 * 1024;

/** Reads schemas/; throws when a file there is missing or no schema. Opens no connection before `start`. */
export function createCodec(options: CodecOptions): Codec {
  const registry = options.schemaRegistryUrl ? new Registry(options.schemaRegistryUrl) : undefined;
  const schemas = new Map(RECORD_NAMES.map((name) => [name, readSchemas(name)]));
  const headers = new Map<RecordName, Buffer>();
  if (!registry) {
    for (const [name, { current }] of schemas) headers.set(name, singleObjectHeader(current.fingerprint));
  }
  const readers = new Map(
    [...schemas].map(([name, own]) => [name, createReader(name, own, own.current.type, registry)] as const),
  );
  const write = createWriter();

  return {
    async start() {
      if (!registry || headers.size > 0) return;
      const ids = await Promise.all(RECORD_NAMES.map((name) => registerCurrent(registry, name)));
      for (const [i, name] of RECORD_NAMES.entries()) headers.set(name, registryHeader(ids[i]!));
      options.log?.info(
        { ids: Object.fromEntries(RECORD_NAMES.map((name, i) => [name, ids[i]])) },
        'schemas registered',
      );
    },
    async stop() {},
    encode(name, value) {
      const header = headers.get(name);
      if (!header)
        throw new CodecError('unavailable', 'the codec writes with a schema registry, and has not been started');
      return write(name, schemas.get(name)!.current.type, header, value);
    },
    async resolve(values) {
      if (!registry) return;
      const ids = new Set<number>();
      for (const value of values) {
        const id = value === null ? undefined : registryIdIn(value);
        if (id !== undefined) ids.add(id);
      }
      if (ids.size > 0) await registry.fetch(ids);
    },
    decode: (name, value) => readers.get(name)!(value) as never,
    decoder(name, fields) {
      const own = schemas.get(name)!;
      return createReader(name, own, projection(own.current, fields), registry) as never;
    },
  };

  function registerCurrent(to: Registry, name: RecordName): Promise<number> {
    return to.register(`${options.topicOf[name]}-value`, schemas.get(name)!.current.schema);
  }
}

function readSchemas(name: RecordName): RecordSchemas {
  const current = currentSchema(name);
  const versions = [current, ...schemaHistory(name).reverse()];
  return { current, sources: versions.map((version) => ({ version, check: wellFormedCheck(version.type) })) };
}

/** The schema of a record with these fields alone. */
function projection({ schema }: SchemaVersion, fields: readonly string[]): Type {
  const record = schema as { fields: { name: string }[] };
  return parseSchema({ ...record, fields: record.fields.filter(({ name }) => fields.includes(name)) } as never);
}

/** Encodes into one scratch buffer and copies out what was written, so that a record costs one allocation of its size. */
function createWriter() {
  let scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  return (name: RecordName, type: Type, header: Buffer, value: unknown): Buffer => {
    let end: number;
    try {
      end = type.encode(value, scratch, header.length);
      if (end < 0) {
        // Negative: by so many bytes the scratch was too short.
        scratch = Buffer.allocUnsafe(scratch.length - end);
        end = type.encode(value, scratch, header.length);
      }
    } catch (error) {
      throw new CodecError('record_invalid', whatIsInvalid(name, type, value) ?? `${name}: ${messageOf(error)}`, error);
    }
    header.copy(scratch);
    const bytes = Buffer.from(scratch.subarray(0, end));
    if (scratch.length > SCRATCH_KEPT_BYTES) scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
    return bytes;
  };
}

/** Names the first field that does not fit, never its content: a value can be a secret. */
function whatIsInvalid(name: RecordName, type: Type, value: unknown): string | undefined {
  let sentence: string | undefined;
  type.isValid(value, {
    errorHook(path: string[], found: unknown, wanted: Type) {
      const field = [name, ...path].join('.');
      const what = found === undefined ? 'is missing' : `is ${found === null ? 'null' : `of type ${typeof found}`}`;
      sentence ??= `${field} ${what}; it takes ${JSON.stringify(wanted.schema({ noDeref: true }))}`;
    },
  });
  return sentence;
}

/** Decodes one record by one reader schema; how each writer schema is read is worked out at its first record. */
function createReader(name: RecordName, own: RecordSchemas, reader: Type, registry: Registry | undefined) {
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
