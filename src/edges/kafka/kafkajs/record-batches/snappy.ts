/**
 * Unpacks Snappy: one raw block, or the frames of Java's producer (magic, two versions, then repeatedly a length and a block).
 * Guarantees: it never reads or writes outside its buffers. More than `maxBytes` is TooLarge, and bytes that are not Snappy are
 * another RangeError.
 */
import { TooLarge } from './too-large.ts';

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;

export function unsnappy(input: Buffer, maxBytes: number): Buffer {
  if (!input.subarray(0, MAGIC.length).equals(MAGIC)) return block(input, maxBytes);
  const parts: Buffer[] = [];
  let left = maxBytes;
  for (let at = HEADER_BYTES; at < input.length; ) {
    const length = input.readUInt32BE(at);
    at += 4;
    if (at + length > input.length) throw new RangeError('a Snappy frame is cut off');
    const part = block(input.subarray(at, at + length), left);
    parts.push(part);
    left -= part.length;
    at += length;
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function block(input: Buffer, maxBytes: number): Buffer {
  const size = readSize(input);
  if (size.value > maxBytes) throw new TooLarge(maxBytes);
  const output = Buffer.allocUnsafe(size.value);
  let from = size.next;
  let to = 0;
  while (from < input.length) {
    const tag = input[from] as number;
    const kind = tag & 3;
    from += 1;
    if (kind === 0) {
      const extra = tag >> 2 < 60 ? 0 : (tag >> 2) - 59;
      const length = (extra === 0 ? tag >> 2 : input.readUIntLE(from, extra)) + 1;
      from += extra;
      if (from + length > input.length || to + length > output.length)
        throw new RangeError('a Snappy literal is cut off');
      input.copy(output, to, from, from + length);
      from += length;
      to += length;
    } else {
      const width = kind === 1 ? 1 : kind === 2 ? 2 : 4;
      const low = input.readUIntLE(from, width);
      const offset = kind === 1 ? ((tag >> 5) << 8) | low : low;
      const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      from += width;
      to = copyBack(output, to, offset, length);
    }
  }
  if (to !== output.length) throw new RangeError('a Snappy block ends early');
  return output;
}

/** Copies the bytes that are `offset` before `to`; a copy that reaches into its own output repeats. Returns the end. */
export function copyBack(output: Buffer, to: number, offset: number, length: number): number {
  if (offset === 0 || offset > to || to + length > output.length) throw new RangeError('a reference points outside');
  if (offset >= length) output.copy(output, to, to - offset, to - offset + length);
  else for (let i = to; i < to + length; i += 1) output[i] = output[i - offset] as number;
  return to + length;
}

function readSize(input: Buffer): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5; i += 1) {
    const byte = input.readUInt8(i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: i + 1 };
  }
  throw new RangeError('the size of a Snappy block is no number');
}
