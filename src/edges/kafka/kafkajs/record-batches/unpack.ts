/**
 * Unpacks the records of a batch, in every compression type of Kafka. Any producer may use one. We write uncompressed batches:
 * records are small, and compression would only cost the broker time.
 *
 * Guarantees: never produces much more than `maxBytes`, whatever size the input claims. Above it, it rejects with TooLarge.
 */
import { promisify } from 'node:util';
import { unzip, type ZlibOptions, type ZstdOptions, zstdDecompress } from 'node:zlib';
import { unlz4 } from './lz4.ts';
import { unsnappy } from './snappy.ts';
import { TooLarge } from './too-large.ts';

type Unpacker = { name: string; unpack(input: Buffer, maxBytes: number): Promise<Buffer> };

/** By the number in the attributes of a batch. */
const UNPACKERS: Readonly<Record<number, Unpacker>> = {
  1: { name: 'gzip', unpack: zlibbed(promisify<Buffer, ZlibOptions, Buffer>(unzip)) },
  2: { name: 'snappy', unpack: async (input, maxBytes) => unsnappy(input, maxBytes) },
  3: { name: 'lz4', unpack: async (input, maxBytes) => unlz4(input, maxBytes) },
  4: { name: 'zstd', unpack: zlibbed(promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress)) },
};

const unpackerOf = (compression: number): Unpacker => {
  const unpacker = UNPACKERS[compression];
  if (unpacker === undefined) throw new RangeError(`Kafka has no compression type ${compression}`);
  return unpacker;
};

/** `compression` 0 is none. Rejects with TooLarge, or with any other error where the bytes are broken. */
export async function unpack(compression: number, input: Buffer, maxBytes: number): Promise<Buffer> {
  return compression === 0 ? input : unpackerOf(compression).unpack(input, maxBytes);
}

export const compressionName = (compression: number): string => UNPACKERS[compression]?.name ?? 'uncompressed';

function zlibbed(inflate: (input: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>) {
  return async (input: Buffer, maxBytes: number): Promise<Buffer> => {
    try {
      return await inflate(input, { maxOutputLength: maxBytes });
    } catch (error) {
      throw (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? new TooLarge(maxBytes) : error;
    }
  };
}
