/**
 * Replaces the record batch reader of kafkajs with ours. kafkajs has no setting for this, so its module is replaced before the
 * first fetch loads it. test/edges/kafka/kafkajs/record-batches/install.test.ts fails if another version works differently.
 */
import { createRequire } from 'node:module';
import { isReadable, readRecordSet } from './read.ts';

const require = createRequire(import.meta.url);

const FETCH = 'kafkajs/src/protocol/requests/fetch';
const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];
const OURS = Symbol.for('reliable-tasking.own-reader');

/** As much of kafkajs's own decoder as is used. */
type Decoder = {
  offset: number;
  readInt32(): number;
  canReadBytes(count: number): boolean;
  readBytes(count: number): Buffer;
};
type Read = ((decoder: Decoder) => Promise<unknown[]>) & { [OURS]?: true };

/** For this process. Safe to call again. */
export function installOwnReader(): void {
  const path = require.resolve(`${FETCH}/v4/decodeMessages.js`);
  const loaded = require.cache[path]?.exports as Read | undefined;
  if (loaded?.[OURS]) return;
  if (VERSIONS.some((version) => require.cache[require.resolve(`${FETCH}/v${version}/response.js`)]))
    throw new Error('kafkajs has fetched records before its reader could be replaced: call createKafka first.');
  const theirs = require(path) as Read;
  const read: Read = async (decoder) => {
    const start = decoder.offset;
    const length = decoder.readInt32();
    if (length <= 0 || !decoder.canReadBytes(length)) return [];
    const set = decoder.readBytes(length);
    if (isReadable(set)) return readRecordSet(set);
    decoder.offset = start;
    return theirs(decoder);
  };
  read[OURS] = true;
  (require.cache[path] as NodeJS.Module).exports = read;
}
