/** Walks the bytes of a record by its writer schema, before avsc decodes them. Guarantees, for any bytes: it ends after work in
 *  proportion to their number, allocates nothing, and accepts only exactly one whole value.
 *  Why: avsc trusts the count of an array or map, so that ten bytes can make it push 2^53 items; it trusts a false block size when
 *  it skips; and it reads zeros past the end. After this walk none of that can happen. */
import avro, { type Type } from 'avsc';

/** @throws Malformed unless `bytes` from `start` to the end are one value. */
export type WellFormedCheck = (bytes: Buffer, start: number) => void;

export class Malformed extends Error {}

/** Nesting that a recursive schema may reach; ours have three levels. */
const DEPTH_MAX = 64;
const LONG_MAX = 2 ** 52 - 1;

interface Cursor {
  bytes: Buffer;
  pos: number;
  depth: number;
}

type Step = (cursor: Cursor) => void;

/** Compiles the walk for a schema; recursive schemas are walked recursively. */
export function wellFormedCheck(type: Type): WellFormedCheck {
  const step = stepFor(type, new Map());
  const cursor: Cursor = { bytes: Buffer.alloc(0), pos: 0, depth: 0 };
  return (bytes, start) => {
    cursor.bytes = bytes;
    cursor.pos = start;
    cursor.depth = 0;
    step(cursor);
    if (cursor.pos !== bytes.length) throw new Malformed(`${bytes.length - cursor.pos} bytes follow the record`);
  };
}

function stepFor(type: Type, known: Map<Type, Step>): Step {
  const made = known.get(type);
  if (made) return made;
  // A placeholder that looks itself up later: the type may contain itself.
  known.set(type, (cursor) => known.get(type)!(cursor));
  const step = compile(type, known);
  known.set(type, step);
  return step;
}

function compile(type: Type, known: Map<Type, Step>): Step {
  if (type instanceof avro.types.RecordType) {
    return recordStep(type.fields.map((field) => stepFor(field.type, known)));
  }
  if (type instanceof avro.types.ArrayType) return blocksStep(stepFor(type.itemsType, known));
  if (type instanceof avro.types.MapType)
    return blocksStep(recordStep([lengthPrefixed, stepFor(type.valuesType, known)]));
  if (type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType) {
    return unionStep(type.types.map((branch) => stepFor(branch, known)));
  }
  if (type instanceof avro.types.EnumType) return indexStep(type.symbols.length);
  if (type instanceof avro.types.FixedType) return fixedStep(type.size);
  return primitiveStep(type);
}

function primitiveStep(type: Type): Step {
  switch (type.typeName) {
    case 'null':
      return () => {};
    case 'boolean':
      return booleanStep;
    case 'int':
      return intStep;
    case 'long':
      return longStep;
    case 'float':
      return fixedStep(4);
    case 'double':
      return fixedStep(8);
    case 'string':
    case 'bytes':
      return lengthPrefixed;
    default:
      throw new Error(`no walk for the type ${type.typeName}`);
  }
}

function recordStep(steps: Step[]): Step {
  return (cursor) => {
    if (++cursor.depth > DEPTH_MAX) throw new Malformed(`nested more than ${DEPTH_MAX} deep`);
    for (let i = 0; i < steps.length; i++) steps[i]!(cursor);
    cursor.depth--;
  };
}

/** Arrays and maps: blocks of items until a count of 0. A negative count is followed by the block's size in bytes. */
function blocksStep(item: Step): Step {
  return (cursor) => {
    for (let count = varint(cursor); count !== 0; count = varint(cursor)) {
      const size = count < 0 ? varint(cursor) : -1;
      const first = cursor.pos;
      const items = Math.abs(count);
      // Items that take no bytes fall under the same bound: a count is never larger than the bytes that are left.
      if (items > cursor.bytes.length - first) throw new Malformed('an array is longer than the record');
      for (let i = 0; i < items; i++) item(cursor);
      if (count < 0 && cursor.pos - first !== size) throw new Malformed('the size of an array block is wrong');
    }
  };
}

function unionStep(branches: Step[]): Step {
  return (cursor) => {
    const index = varint(cursor);
    const branch = branches[index];
    if (!branch) throw new Malformed(`a union has no branch ${index}`);
    branch(cursor);
  };
}

function indexStep(size: number): Step {
  return (cursor) => {
    const index = varint(cursor);
    if (index < 0 || index >= size) throw new Malformed(`an enum has no symbol ${index}`);
  };
}

function fixedStep(size: number): Step {
  return (cursor) => advance(cursor, size);
}

function booleanStep(cursor: Cursor): void {
  const { bytes, pos } = cursor;
  advance(cursor, 1);
  if (bytes[pos]! > 1) throw new Malformed('a boolean is neither 0 nor 1');
}

function intStep(cursor: Cursor): void {
  const value = varint(cursor);
  if (value < -2147483648 || value > 2147483647) throw new Malformed('an int is out of range');
}

/** avsc computes in doubles: beyond 2^52 (zig-zag: 2^53) it would return another number, or another sign, without an error. */
function longStep(cursor: Cursor): void {
  const value = varint(cursor);
  if (value > LONG_MAX || value < -LONG_MAX) throw new Malformed('a long is beyond 2^52');
}

function lengthPrefixed(cursor: Cursor): void {
  const length = varint(cursor);
  if (length < 0) throw new Malformed('a length is negative');
  advance(cursor, length);
}

function advance(cursor: Cursor, size: number): void {
  if (size > cursor.bytes.length - cursor.pos) throw new Malformed('the record is cut off');
  cursor.pos += size;
}

/** A zig-zag number of at most ten bytes. Beyond 2^52 it is not exact, which no bound above depends on. */
function varint(cursor: Cursor): number {
  const { bytes } = cursor;
  let byte = bytes[cursor.pos++];
  if (byte === undefined) throw new Malformed('the record is cut off');
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let value = byte & 0x7f;
  let scale = 128;
  for (let n = 1; n < 10; n++) {
    byte = bytes[cursor.pos++];
    if (byte === undefined) throw new Malformed('the record is cut off');
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    scale *= 128;
  }
  throw new Malformed('a number is longer than ten bytes');
}
