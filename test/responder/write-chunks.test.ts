import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/errors.ts';
import { writeChunks } from '../../src/responder/write-chunks.ts';

describe('the records that rules make', () => {
  it('are all written except those that the broker refuses permanently', async () => {
    const [written, refused]: [number[], string[]] = [[], []];
    const write = async (chunk: number[]) => {
      const large = chunk.find((record) => record % 400 === 7);
      if (large !== undefined) throw new ApiError('record_too_large', `${large}`);
      written.push(...chunk);
    };
    const all = Array.from({ length: 1_200 }, (_, i) => i);
    await writeChunks(all, write, ({ message }) => void refused.push(message));
    expect(refused).toEqual(['7', '407', '807']);
    expect(written).toEqual(all.filter((record) => record % 400 !== 7));
  });

  it('are retried with the batch if the broker is unavailable', async () => {
    const away = async () => {
      throw new ApiError('unavailable', 'away');
    };
    await expect(writeChunks([1], away, () => {})).rejects.toThrow('away');
  });
});
