/** What only a sorted set that changes between two pipelines can show; the contract suite on real Redis has the rest. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, RedisClient } from '../../../../src/edges/redis/client.ts';
import { readsPart } from '../../../../src/edges/redis/projection/reads.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

type Members = Map<string, number>;

/** ZRANGEBYSCORE as Redis has it: ends may be exclusive, members come by score and then by name. */
function rangeByScore(members: Members, [, from, to, ...rest]: Command['args']): string[] {
  const above = (text: string, score: number) =>
    text.startsWith('(') ? score > Number(text.slice(1)) : score >= Number(text.replace('inf', 'Infinity'));
  const below = (text: string, score: number) => score <= Number(text.replace('inf', 'Infinity'));
  const found = [...members]
    .filter(([, score]) => above(String(from), score) && below(String(to), score))
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  const limit = rest.indexOf('LIMIT');
  const [offset, count] = limit < 0 ? [0, found.length] : [Number(rest[limit + 1]), Number(rest[limit + 2])];
  return found.slice(offset, offset + count).flatMap(([member, score]) => [member, String(score)]);
}

/** Reads of a set that `between` may change after each pipeline. */
function readsOf(members: Members, between: () => void) {
  const redis = {
    pipeline: async (commands: Command[]) => {
      const replies = commands.map(({ args }) => rangeByScore(members, args));
      between();
      return replies;
    },
  } as Partial<RedisClient> as RedisClient;
  return readsPart(redis, () => {
    throw new Error('no task is read here');
  });
}

async function pagesOf(members: Members, limit: number, between = () => {}): Promise<string[]> {
  const reads = readsOf(members, between);
  const ids: string[] = [];
  let after: string | null = null;
  do {
    const page: { ids: string[]; next: string | null } = await reads.pendingIds('o', limit, after);
    expect(page.ids.length).toBeLessThanOrEqual(limit);
    if (after !== null) expect(page.next).not.toBe(after); // else it would never end
    ids.push(...page.ids);
    after = page.next;
  } while (after !== null);
  return ids;
}

describe(`pages of pending tasks (seed ${seed})`, () => {
  it('hold every task that is pending all the while, though others end between two pipelines', async () => {
    const sets = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,2}$/), fc.integer({ min: 1, max: 3 })), {
      selector: ([id]) => id,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(sets, fc.integer({ min: 1, max: 6 }), fc.array(fc.nat(29)), async (all, limit, ends) => {
        const members: Members = new Map(all);
        const ending = ends.map((i) => all[i]?.[0]).filter((id) => id !== undefined);
        const ids = await pagesOf(members, limit, () => members.delete(ending.shift() ?? ''));
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toEqual(expect.arrayContaining([...members.keys()]));
      }),
      { seed, numRuns: 500 },
    );
  });

  it('are in order, and full but for the last', async () => {
    const members: Members = new Map([
      ['d', 1],
      ['b', 2],
      ['a', 2],
      ['c', 2],
      ['e', 3],
    ]);
    for (const limit of [1, 2, 3, 4, 5, 6]) expect(await pagesOf(members, limit)).toEqual(['d', 'a', 'b', 'c', 'e']);
    const { ids, next } = await readsOf(members, () => {}).pendingIds('o', 3, '1 d');
    expect([ids, next]).toEqual([['a', 'b', 'c'], '2 c']);
  });
});

describe('sensors of a partition', () => {
  const replies: Record<string, [string, string[]]> = {
    0: ['17', ['s1', 'f1', 's2', 'f2']],
    17: ['5', []],
    5: ['0', ['s3', 'f3']],
  };
  const redis = {
    pipeline: async (commands: Command[]) =>
      commands.map(({ name, args }) => {
        if (name === 'hmget') return args.slice(1).map((sid) => (sid === 's2' ? null : `1 0 7 of ${sid}`));
        const [next, flat] = replies[String(args[1])] as [string, string[]];
        return [Buffer.from(next), flat.map((text) => Buffer.from(text))];
      }),
  } as Partial<RedisClient> as RedisClient;

  it('come in as many pages as Redis makes of them, and also behind an empty one', async () => {
    const reads = readsPart(redis, () => {
      throw new Error('no task is read here');
    });
    const found: [string, string, string | null | undefined][] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof reads.scanSensors>> = await reads.scanSensors('o', 0, cursor);
      for (const { sid, facts, presence } of page.sensors) found.push([sid, String(facts), presence?.connectionId]);
      cursor = page.next;
    } while (cursor !== null);
    expect(found).toEqual([
      ['s1', 'f1', 'of s1'],
      ['s2', 'f2', undefined],
      ['s3', 'f3', 'of s3'],
    ]);
  });
});
