import { describe, expect, it } from 'vitest';
import { readPresence, writePresence } from '../../../src/edges/redis/presence-row.ts';

describe('a presence row', () => {
  it.each([null, 'c', 'c d', '["x"]', ''])('comes back as it was written, with the connection %o', (connectionId) => {
    const row = {
      online: true,
      connectionId,
      aliveAtMs: 9,
      confirms: true,
      sinceMs: 7,
      closed: ['a b'],
      replaced: ['"'],
      nextOffset: 4,
    };
    expect(readPresence(writePresence(row))).toEqual(row);
    expect(readPresence(writePresence({ ...row, online: false, confirms: false }))).toMatchObject({
      online: false,
      confirms: false,
    });
  });

  it.each([
    ['1 0 9 c d', { online: true, connectionId: 'c d', confirms: false, closed: [] }],
    ['0 1 9 c', { online: false, connectionId: 'c', confirms: true, closed: ['c'] }],
    ['0 2 9 ["c",9,[],[]]', { online: false, connectionId: 'c', closed: [] }],
    ['0 0 9 ', { online: false, connectionId: null, closed: [] }],
  ])('that an earlier version wrote is read: %o', (text, row) => {
    expect(readPresence(text)).toMatchObject({ aliveAtMs: 9, sinceMs: 9, replaced: [], nextOffset: 0, ...row });
  });
});
