/**
 * Reads batches in every compression that Kafka knows. kafkajs brings gzip alone, and a consumer that meets another one
 * stops; any producer may choose one. We write none: records are small, and the broker would unpack them for nothing.
 */
import { zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { unlz4 } from './lz4.ts';
import { unsnappy } from './snappy.ts';

/** No batch unpacks to more: far above what a broker takes unpacked, and small enough not to take a process down. */
const UNPACKED_MAX_BYTES = 128 * 1024 * 1024;

const unzstd = (input: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { maxOutputLength: UNPACKED_MAX_BYTES };
    zstdDecompress(input, options, (error, output) => (error ? reject(error) : resolve(output)));
  });

const reader = (decompress: (input: Buffer) => Promise<Buffer>) => () => ({
  decompress,
  compress: async () => {
    throw new Error('records are written without compression');
  },
});

/** Makes kafkajs, in this process, read all of them. Safe to call again. */
export function installCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.Snappy] = reader(async (input) => unsnappy(input, UNPACKED_MAX_BYTES));
  CompressionCodecs[CompressionTypes.LZ4] = reader(async (input) => unlz4(input, UNPACKED_MAX_BYTES));
  CompressionCodecs[CompressionTypes.ZSTD] = reader(unzstd);
}
