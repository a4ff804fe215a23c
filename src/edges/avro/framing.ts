/** The two headers that name the schema of a record. The first bytes distinguish them.
 *  - Single-object encoding (Avro specification): 0xC3 0x01, then the fingerprint, 8 bytes little-endian.
 *  - Confluent wire format: 0x00, then the registry's id of the schema, 4 bytes big-endian. */
import { CodecError } from './error.ts';
import type { Fingerprint } from './fingerprint.ts';

export const SINGLE_OBJECT_BYTES = 10;
export const REGISTRY_BYTES = 5;

export type Framing = 'single-object' | 'registry';

export function singleObjectHeader({ high, low }: Fingerprint): Buffer {
  const header = Buffer.from([0xc3, 0x01, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(low, 2);
  header.writeUInt32LE(high, 6);
  return header;
}

export function registryHeader(id: number): Buffer {
  const header = Buffer.alloc(REGISTRY_BYTES);
  header.writeUInt32BE(id, 1);
  return header;
}

/** @throws CodecError record_undecodable when it begins with neither header. */
export function framingOf(bytes: Buffer): Framing {
  if (bytes[0] === 0xc3 && bytes[1] === 0x01 && bytes.length >= SINGLE_OBJECT_BYTES) return 'single-object';
  if (bytes[0] === 0x00 && bytes.length >= REGISTRY_BYTES) return 'registry';
  throw new CodecError(
    'record_undecodable',
    'the value begins with neither c3 01 and a fingerprint (single-object encoding) nor 00 and a schema id (registry)',
  );
}

export function fingerprintIn(bytes: Buffer): Fingerprint {
  return { low: bytes.readUInt32LE(2), high: bytes.readUInt32LE(6) };
}

/** The registry id of a record, or undefined when it is none of the registry's. */
export function registryIdIn(bytes: Buffer): number | undefined {
  return bytes[0] === 0x00 && bytes.length >= REGISTRY_BYTES ? bytes.readUInt32BE(1) : undefined;
}
