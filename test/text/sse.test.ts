import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../../src/text/sse.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => new SseParser().push(bytes(text));

describe('the reader of Server-Sent Events', () => {
  it('reads id, event and data', () => {
    expect(parse('id: 3:17\nevent: task_done\ndata: {"a":1}\n\n')).toEqual([
      { id: '3:17', event: 'task_done', data: '{"a":1}' },
    ]);
  });

  it('takes one space after the colon away, and no more', () => {
    expect(parse('data:a\ndata:  b\n\n')).toEqual([{ id: '', event: 'message', data: 'a\n b' }]);
  });

  it('ignores comments, unknown fields and events without data', () => {
    expect(parse(': keep-alive\n\nretry: 10\n\nevent: x\n\nnothing\n\n')).toEqual([]);
  });

  it('keeps the last id for the events after it', () => {
    const parser = new SseParser();
    expect(parser.push(bytes('id: 1\ndata: a\n\ndata: b\n\n')).map(({ id }) => id)).toEqual(['1', '1']);
    expect(parser.lastEventId).toBe('1');
  });

  it('drops an event that has not ended', () => {
    expect(parse('data: a\n')).toEqual([]);
  });

  it('drops the unfinished event of a connection that broke, and keeps the last id for the next one', () => {
    const parser = new SseParser();
    parser.push(bytes('id: 1\ndata: a\n\nid: 2\ndata: lo'));
    parser.reset();
    expect(parser.push(bytes('data: b\n\n'))).toEqual([{ id: '1', event: 'message', data: 'b' }]);
    expect(parser.lastEventId).toBe('1');
  });

  const texts = fc.string({ unit: fc.constantFrom('a', 'ü', '🙂', ' ', ':', '{') });
  const endings = fc.constantFrom('\n', '\r\n', '\r');

  it('reads the same events however the bytes are cut and the lines are ended', () => {
    fc.assert(
      fc.property(fc.array(texts), endings, fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (datas, end, cuts) => {
        // A first byte after the last event: a CR there may be half of a CRLF, and waits.
        const stream = bytes(`${datas.map((data, i) => `id: ${i}${end}data: ${data}${end}${end}`).join('')}:`);
        const parser = new SseParser();
        const events = [];
        for (let at = 0; at < stream.length; ) {
          const length = cuts.next().value as number;
          events.push(...parser.push(stream.subarray(at, at + length)));
          at += length;
        }
        expect(events).toEqual(datas.map((data, i) => ({ id: String(i), event: 'message', data })));
      }),
    );
  });
});
