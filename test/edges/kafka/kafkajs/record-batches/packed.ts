/** Batches as producers pack them, made by kafkajs's own encoder. */
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';

const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js');
const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js');

type Sent = {
  key?: Buffer | null;
  value?: Buffer | null;
  headers?: { [name: string]: Buffer | Buffer[] };
  timestampDelta?: number;
};
type Options = { firstOffset?: number; firstTimestamp?: number; transactional?: boolean; producerId?: number };

const RECORDS_AT = 61;
const LENGTH_AT = 8;
const LENGTH_END = 12;
const ATTRIBUTES_AT = 21;

export async function batchOf(records: readonly Sent[], options: Options = {}): Promise<Buffer> {
  const encoded = records.map(({ key = null, value = null, headers = {}, timestampDelta = 0 }, offsetDelta) =>
    Record({ offsetDelta, timestampDelta, key, value, headers }),
  );
  const { firstOffset = 0, firstTimestamp = 1_000, transactional = false, producerId = -1 } = options;
  const lastOffsetDelta = records.length - 1;
  const maxTimestamp = firstTimestamp;
  const given = { firstOffset, firstTimestamp, maxTimestamp, transactional, producerId, lastOffsetDelta };
  return (await RecordBatch({ ...given, records: encoded })).buffer;
}

const PACK = {
  gzip: { number: 1, pack: promisify(gzip) },
  zstd: { number: 4, pack: promisify(zstdCompress) },
} as const;

/** The same batch, with its records packed. Its checksum is that of the unpacked one: nobody here looks at it. */
export async function packed(batch: Buffer, codec: keyof typeof PACK): Promise<Buffer> {
  const { number, pack } = PACK[codec];
  const body = await pack(batch.subarray(RECORDS_AT));
  const whole = Buffer.concat([batch.subarray(0, RECORDS_AT), body]);
  whole.writeInt32BE(whole.length - LENGTH_END, LENGTH_AT);
  whole.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | number, ATTRIBUTES_AT);
  return whole;
}
