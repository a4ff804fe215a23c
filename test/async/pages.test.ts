import { describe, expect, it } from 'vitest';
import { pagesOf } from '../../src/async/pages.ts';

type Page = { items: number[]; next: string | null };

/** Three pages, and the cursors with which they were read. */
function list(): { read: (cursor: string | null) => Promise<Page>; cursors: (string | null)[] } {
  const pages = new Map<string | null, Page>([
    [null, { items: [1, 2], next: 'b' }],
    ['b', { items: [], next: 'c' }],
    ['c', { items: [3], next: null }],
  ]);
  const cursors: (string | null)[] = [];
  return {
    cursors,
    read: async (cursor) => {
      cursors.push(cursor);
      return pages.get(cursor) as Page;
    },
  };
}

async function itemsOf(pages: AsyncIterable<Page>): Promise<number[]> {
  const items: number[] = [];
  for await (const page of pages) items.push(...page.items);
  return items;
}

describe('pages', () => {
  it('come in order, an empty one among them, each read once', async () => {
    const { read, cursors } = list();
    expect(await itemsOf(pagesOf(read))).toEqual([1, 2, 3]);
    expect(cursors).toEqual([null, 'b', 'c']);
  });

  it('begin at the given cursor', async () => {
    const { read, cursors } = list();
    expect(await itemsOf(pagesOf(read, 'b'))).toEqual([3]);
    expect(cursors).toEqual(['b', 'c']);
  });

  it('are not read ahead of the caller', async () => {
    const { read, cursors } = list();
    for await (const page of pagesOf(read)) if (page.next === 'b') break;
    expect(cursors).toEqual([null]);
  });

  it('end with the error of a read', async () => {
    const read = async (cursor: string | null): Promise<Page> => {
      if (cursor !== null) throw new Error('lost');
      return { items: [1], next: 'b' };
    };
    await expect(itemsOf(pagesOf(read))).rejects.toThrow('lost');
  });
});
