import { describe, expect, it } from 'vitest';
import {
  type DeadLetterRecord,
  deadLetterOf,
  hindrance,
  isWanted,
  newestFrom,
  redriven,
} from '../../src/operations/dead-letters.ts';
import type { InRecord } from '../../src/ports.ts';
import { hexDump } from '../../src/text/hex.ts';

const record = (headers: InRecord['headers'] = {}): InRecord => ({
  topic: 'x.dead-letter',
  partition: 3,
  offset: 17,
  key: Buffer.from('a'),
  value: Buffer.from([0, 255]),
  timestampMs: 5,
  headers: {
    trace: Buffer.from('t'),
    'rt-source-topic': Buffer.from('x.task-commands'),
    'rt-source-partition': '2',
    'rt-source-offset': '40',
    'rt-error-code': 'org_unknown',
    'rt-error': 'why',
    'rt-failed-at': '1000',
    ...headers,
  },
});
const deadLetter = (headers: InRecord['headers'] = {}): DeadLetterRecord =>
  deadLetterOf(record(headers), 'x.') as DeadLetterRecord;

describe('a dead letter', () => {
  it('says where its record came from, why it failed, and when', () => {
    expect(deadLetter()).toMatchObject({
      id: '3:17',
      topic: 'x.task-commands',
      topicKey: 'commands',
      partition: 2,
      offset: 40,
      code: 'org_unknown',
      message: 'why',
      failedAtMs: 1_000,
      redrivenFrom: null,
    });
  });

  it.each([{ 'rt-source-topic': undefined }, { 'rt-source-offset': 'x' }, { 'rt-source-partition': '1.5' }])(
    'is none with %j',
    (headers) => expect(deadLetterOf(record(headers), 'x.')).toBeNull(),
  );

  it.each([
    [{}, true],
    [{ ids: ['3:17'] }, true],
    [{ ids: ['3:18'] }, false],
    [{ topic: 'task-commands' }, true],
    [{ topic: 'x.task-commands', code: 'org_unknown', sinceMs: 1_000 }, true],
    [{ topic: 'task-events' }, false],
    [{ code: 'oid_invalid' }, false],
    [{ sinceMs: 1_001 }, false],
  ])('is wanted by %j: %s', (filter, wanted) => expect(isWanted(deadLetter(), filter)).toBe(wanted));

  it('goes to its topic with key, value and headers as they came, and with its own name', () => {
    expect(redriven(deadLetter({ 'rt-redriven-from': '0:1', twice: ['a', 'b'] }))).toEqual({
      key: Buffer.from('a'),
      value: Buffer.from([0, 255]),
      headers: { trace: Buffer.from('t'), twice: ['a', 'b'], 'rt-redriven-from': '3:17' },
    });
    expect(deadLetter({ 'rt-redriven-from': '0:1' }).redrivenFrom).toBe('0:1');
  });

  it('of a topic of others, and of dead-letter itself, stays where it is', () => {
    expect(hindrance(deadLetter())).toBeNull();
    expect(hindrance(deadLetter({ 'rt-source-topic': 'task-commands' }))).toContain('not a topic of this installation');
    expect(hindrance(deadLetter({ 'rt-source-topic': 'x.dead-letter' }))).toContain('no source topic');
  });

  it('that is truncated, or was too large, is not redriven', () => {
    expect(hindrance(deadLetter({ 'rt-truncated': 'true' }))).toContain('a part of the record');
    expect(hindrance(deadLetter({ 'rt-error-code': 'record_too_large' }))).toContain(
      'exceeds the size limit of x.task-commands',
    );
  });
});

it('bytes are shown with their places and characters, up to a bound', () => {
  expect(hexDump(Buffer.from('0123456789abcdef\n!'), 100)).toBe(
    '000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n' +
      '000010  0a 21                                            .!\n',
  );
  expect(hexDump(Buffer.alloc(5), 2)).toBe(`000000  00 00${' '.repeat(42)}  ..\n… 3 more bytes\n`);
});

describe('the newest dead letters', () => {
  const since = new Map([
    [0, 10],
    [1, 40],
    [2, 7],
  ]);
  const ends = new Map([
    [0, { low: 0, high: 30 }],
    [1, { low: 0, high: 40 }],
    [2, { low: 0, high: 8 }],
  ]);

  it('are all of the period if they are few', () => {
    expect(newestFrom(since, ends, 100)).toEqual({ from: since, total: 21, wanted: 21 });
  });

  it('are the end of each partition if there are more than may be read', () => {
    expect(newestFrom(since, ends, 15)).toEqual({
      from: new Map([
        [0, 25],
        [1, 40],
        [2, 7],
      ]),
      total: 21,
      wanted: 6,
    });
  });
});
