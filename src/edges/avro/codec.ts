/** Records to bytes and back. Guarantees:
 *  - written: with a registry the Confluent wire format, without one single-object encoding; always with the newest schema;
 *  - read: both encodings at any time, whichever version in schemas/ or of the registry wrote them, as the newest record;
 *  - any bytes give a record or a CodecError, in time proportional to their number; bytes after a record are an error;
 *  - encode and decode never wait: `start` and `resolve` fetch before what they need from the registry.
 *  The registry client's own encode is asynchronous and would make a promise for each record, so framing is done here. */
import { RECORD_NAMES, type RecordName, type RecordTypes } from '../../model/records.ts';
import { CodecError } from './error.ts';
import { registryHeader, registryIdIn, singleObjectHeader } from './framing.ts';
import { createReader, projection, readSchemas } from './reader.ts';
import { Registry } from './registry.ts';
import { createWriter } from './writer.ts';

/** Records to bytes and back. `name`: the expected record; any other is an error. */
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
  /** A faster decode of these fields alone; the others are checked for form and skipped. Throws as decode does. `inner`: of
   *  a field that is a record, only these of its own fields. */
  decoder<N extends RecordName, F extends keyof RecordTypes[N] & string>(
    name: N,
    fields: readonly F[],
    inner?: Readonly<Partial<Record<F, readonly string[]>>>,
  ): (value: Buffer) => Pick<RecordTypes[N], F>;
}

export interface CodecOptions {
  /** Base URL of a registry with the Confluent API; absent or "": single-object encoding. May carry `user:password@`. */
  schemaRegistryUrl?: string | undefined;
  /** The topic of each record, with its prefix: subjects are `<topic>-value`. */
  topicOf: Readonly<Record<RecordName, string>>;
  log?: { info(fields: object, message: string): void };
}

/** Maximum number of decoders of some fields that are kept. Each is code that is generated once for its set of fields. */
const DECODERS_KEPT = 128;

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
  const decoders = new Map<string, (value: Buffer) => unknown>();

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
    decoder(name, fields, inner) {
      const key = JSON.stringify([name, fields, inner]);
      const known = decoders.get(key);
      if (known) return known as never;
      const own = schemas.get(name)!;
      const made = createReader(
        name,
        own,
        projection(own.current, fields, inner as Partial<Record<string, readonly string[]>>),
        registry,
      );
      if (decoders.size >= DECODERS_KEPT) decoders.clear();
      decoders.set(key, made);
      return made as never;
    },
  };

  function registerCurrent(to: Registry, name: RecordName): Promise<number> {
    return to.register(`${options.topicOf[name]}-value`, schemas.get(name)!.current.schema);
  }
}
