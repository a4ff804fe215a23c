/**
 * Unpacks LZ4 frames, as Kafka's producers write them. Checksums are not looked at: the broker and TCP have theirs.
 * Guarantees: never reads or writes outside its buffers, never makes more than `maxBytes`; bytes that are no LZ4 frame are a
 * RangeError.
 */
import { copyBack } from './snappy.ts';

const MAGIC = 0x184d2204;
const BLOCK_MAX_BYTES = [0, 0, 0, 0, 65_536, 262_144, 1_048_576, 4_194_304];
const STORED = 0x80000000;

export function unlz4(input: Buffer, maxBytes: number): Buffer {
  if (input.readUInt32LE(0) !== MAGIC) throw new RangeError('no LZ4 frame begins here');
  const flags = input.readUInt8(4);
  const blockMax = BLOCK_MAX_BYTES[(input.readUInt8(5) >> 4) & 7] as number;
  const [dependent, blockSums, sized, dictionary] = [!(flags & 32), flags & 16, flags & 8, flags & 1];
  if (blockMax === 0) throw new RangeError('an LZ4 frame has no block size');
  const output: Buffer[] = [];
  let left = maxBytes;
  let before: Buffer = Buffer.alloc(0);
  // The header ends with a byte of checksum.
  let at = 6 + (sized ? 8 : 0) + (dictionary ? 4 : 0) + 1;
  for (let size = input.readUInt32LE(at); size !== 0; size = input.readUInt32LE(at)) {
    const length = size & ~STORED & 0x7fffffff;
    at += 4;
    if (at + length > input.length) throw new RangeError('an LZ4 block is cut off');
    const packed = input.subarray(at, at + length);
    const part =
      size >= STORED ? packed : block(packed, dependent ? before : Buffer.alloc(0), Math.min(blockMax, left));
    if (part.length > left) throw new RangeError(`an LZ4 frame has more than ${maxBytes} bytes`);
    output.push(part);
    left -= part.length;
    if (dependent) before = tail(before, part);
    at += length + (blockSums ? 4 : 0);
  }
  return output.length === 1 ? (output[0] as Buffer) : Buffer.concat(output);
}

const WINDOW_BYTES = 65_536;

const tail = (before: Buffer, part: Buffer): Buffer =>
  part.length >= WINDOW_BYTES ? part.subarray(-WINDOW_BYTES) : Buffer.concat([before, part]).subarray(-WINDOW_BYTES);

/** `before`: what references may point back into. */
function block(input: Buffer, before: Buffer, maxBytes: number): Buffer {
  const output = Buffer.allocUnsafe(before.length + maxBytes);
  before.copy(output);
  let from = 0;
  let to = before.length;
  const more = (length: number): number => {
    if (length !== 15) return length;
    let byte: number;
    do {
      byte = input.readUInt8(from);
      from += 1;
      length += byte;
    } while (byte === 255);
    return length;
  };
  while (from < input.length) {
    const token = input[from] as number;
    from += 1;
    const literal = more(token >> 4);
    if (from + literal > input.length || to + literal > output.length)
      throw new RangeError('an LZ4 literal is cut off');
    input.copy(output, to, from, from + literal);
    from += literal;
    to += literal;
    if (from >= input.length) break; // the last sequence has literals alone
    const offset = input.readUInt16LE(from);
    from += 2;
    to = copyBack(output, to, offset, more(token & 15) + 4);
  }
  return output.subarray(before.length, to);
}
