/**
 * Unpacks LZ4 frames of Kafka's producers. It does not check checksums: the broker and TCP have theirs.
 * Guarantees: it never reads or writes outside its buffers. More than `maxBytes` is TooLarge, and bytes that are not an LZ4 frame are
 * another RangeError. Time and memory are proportional to the unpacked bytes, not to the number of blocks.
 */
import { copyBack } from './snappy.ts';
import { TooLarge } from './too-large.ts';

const MAGIC = 0x184d2204;
const BLOCK_MAX_BYTES = [0, 0, 0, 0, 65_536, 262_144, 1_048_576, 4_194_304];
const STORED = 0x80000000;

export function unlz4(input: Buffer, maxBytes: number): Buffer {
  if (input.readUInt32LE(0) !== MAGIC) throw new RangeError('no LZ4 frame begins here');
  const flags = input.readUInt8(4);
  const blockMax = BLOCK_MAX_BYTES[(input.readUInt8(5) >> 4) & 7] as number;
  const [dependent, blockSums, sized, dictionary] = [!(flags & 32), flags & 16, flags & 8, flags & 1];
  if (blockMax === 0) throw new RangeError('an LZ4 frame has no block size');
  let output: Buffer = Buffer.allocUnsafe(blockMax);
  let to = 0;
  // The header ends with a byte of checksum.
  let at = 6 + (sized ? 8 : 0) + (dictionary ? 4 : 0) + 1;
  for (let size = input.readUInt32LE(at); size !== 0; size = input.readUInt32LE(at)) {
    const length = size & ~STORED & 0x7fffffff;
    at += 4;
    if (at + length > input.length) throw new RangeError('an LZ4 block is cut off');
    const packed = input.subarray(at, at + length);
    if (to + blockMax > output.length) output = grown(output, to + blockMax);
    to = size >= STORED ? stored(packed, output, to, blockMax) : block(packed, output, to, blockMax, dependent);
    if (to > maxBytes) throw new TooLarge(maxBytes);
    at += length + (blockSums ? 4 : 0);
  }
  return output.subarray(0, to);
}

const grown = (output: Buffer, least: number): Buffer => Buffer.concat([output], Math.max(least, output.length * 2));

function stored(input: Buffer, output: Buffer, start: number, maxBytes: number): number {
  if (input.length > maxBytes) throw new RangeError('an LZ4 block is larger than its frame says');
  return start + input.copy(output, start);
}

/** Writes from `start` on, and returns the end. `dependent`: references may point into earlier blocks. */
function block(input: Buffer, output: Buffer, start: number, maxBytes: number, dependent: boolean): number {
  const end = start + maxBytes;
  let from = 0;
  let to = start;
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
    if (from + literal > input.length || to + literal > end) throw new RangeError('an LZ4 literal is cut off');
    input.copy(output, to, from, from + literal);
    from += literal;
    to += literal;
    if (from >= input.length) break; // the last sequence has literals alone
    const offset = input.readUInt16LE(from);
    from += 2;
    const length = more(token & 15) + 4;
    if (to + length > end || (!dependent && offset > to - start)) throw new RangeError('a reference points outside');
    to = copyBack(output, to, offset, length);
  }
  return to;
}
