/** Reads schemas/ once: the newest version of each record, and every earlier one that a record on a topic may have been
 *  written with. Guarantees: each file parses, or the process does not start; versions are in the order of their numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import avro, { type Schema, type Type } from 'avsc';
import type { RecordName } from '../../model/records.ts';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';

/** The same distance from here in a checkout (src/edges/avro) and in what is shipped (dist/edges/avro). */
const SCHEMAS = fileURLToPath(new URL('../../../schemas/', import.meta.url));

/** A parsed schema. `version` is the number of its file in the history, or 'current'. */
export interface SchemaVersion {
  version: number | 'current';
  schema: Schema;
  type: Type;
  fingerprint: Fingerprint;
}

/** Parses a schema of ours. Unions are plain values, logical types stay numbers, records are bare objects.
 *  @throws Error when it is no Avro schema, or when a plain value would not say which branch of a union it is. */
export function parseSchema(schema: Schema): Type {
  return avro.Type.forSchema(schema, { wrapUnions: 'never', omitRecordMethods: true });
}

/** Parses a schema that only others write with: its fields that we don't have may be any unions. */
export function parseWriterSchema(schema: Schema): Type {
  return avro.Type.forSchema(schema, { wrapUnions: 'auto', omitRecordMethods: true });
}

/** What avsc calls the schema of a type is the specification's parsing canonical form: full names, no docs, no defaults. */
function canonicalForm(type: Type): string {
  return JSON.stringify(type.schema());
}

/** A schema with what is worked out of it. @throws Error when it is no Avro schema. */
export function schemaVersion(schema: Schema, version: SchemaVersion['version']): SchemaVersion {
  const type = parseSchema(schema);
  return { version, schema, type, fingerprint: fingerprintOf(canonicalForm(type)) };
}

function readVersion(file: string, version: SchemaVersion['version']): SchemaVersion {
  return schemaVersion(JSON.parse(readFileSync(file, 'utf8')) as Schema, version);
}

/** The newest schema of a record. */
export function currentSchema(name: RecordName): SchemaVersion {
  return readVersion(`${SCHEMAS}${name}.avsc`, 'current');
}

/** The schemas in the history of a record, oldest first. */
export function schemaHistory(name: RecordName): SchemaVersion[] {
  const numbers = readdirSync(`${SCHEMAS}history/${name}`).map((file) => Number.parseInt(file, 10));
  return numbers.sort((a, b) => a - b).map((n) => readVersion(`${SCHEMAS}history/${name}/${n}.avsc`, n));
}
