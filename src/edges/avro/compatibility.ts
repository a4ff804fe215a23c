/** Checks the contract of schemas/: the newest version of a record reads what any earlier version wrote. A registry calls this
 *  BACKWARD_TRANSITIVE. There are two more rules: the record keeps its full name (subjects and fingerprints depend on it), and a
 *  removed field had a default, so that consumers with the earlier version still work. */
import avro, { type Type, type types } from 'avsc';
import { RECORD_NAMES, type RecordName } from '../../model/records.ts';
import { messageOf } from './error.ts';
import { currentSchema, schemaHistory } from './schema-files.ts';

/** How the newest schema of a record compares with one version of its history. */
export interface Compatibility {
  record: RecordName;
  /** Number of the file in schemas/history/<record>/. */
  version: number;
  ok: boolean;
  /** A sentence, where not ok. */
  error?: string;
}

/** Compares each record in schemas/ with each version of its history. @throws Error when a file is missing or no schema */
export function checkCompatibility(): Compatibility[] {
  return RECORD_NAMES.flatMap((record) => {
    const { type } = currentSchema(record);
    return schemaHistory(record).map(({ version, type: earlier }) => {
      const error = incompatibility(type, earlier);
      return { record, version: version as number, ok: error === undefined, ...(error === undefined ? {} : { error }) };
    });
  });
}

/** Why `newest` may not follow `earlier`, or undefined. */
export function incompatibility(newest: Type, earlier: Type): string | undefined {
  if (newest.name !== earlier.name) return `the record was ${earlier.name} and is now ${newest.name}`;
  try {
    newest.createResolver(earlier);
  } catch (error) {
    return `data of the earlier version can't be read: ${messageOf(error)}`;
  }
  return droppedField(newest, earlier);
}

/** The first field, in the record or in a record inside it, that had no default and was removed. */
function droppedField(newest: Type, earlier: Type): string | undefined {
  const now = recordsIn(newest);
  for (const [name, before] of recordsIn(earlier)) {
    const after = now.get(name);
    // A record that is nowhere any more went with the field that held it, which is judged in its own record.
    if (!after) continue;
    const kept = new Set(after.fields.flatMap((field) => [field.name, ...field.aliases]));
    const dropped = before.fields.find((field) => !kept.has(field.name) && field.defaultValue() === undefined);
    if (dropped) {
      return `${name}.${dropped.name} had no default and was removed: a reader with the earlier version needs it`;
    }
  }
  return undefined;
}

/** Every record in a schema by its full name. */
function recordsIn(type: Type, found = new Map<string, types.RecordType>()): Map<string, types.RecordType> {
  if (type instanceof avro.types.RecordType) {
    if (found.has(type.name!)) return found;
    found.set(type.name!, type);
    for (const field of type.fields) recordsIn(field.type, found);
  } else if (type instanceof avro.types.ArrayType) {
    recordsIn(type.itemsType, found);
  } else if (type instanceof avro.types.MapType) {
    recordsIn(type.valuesType, found);
  } else if (type instanceof avro.types.UnwrappedUnionType) {
    for (const branch of type.types) recordsIn(branch, found);
  }
  return found;
}
