import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OID } from '../command/orgs.ts';
import { SettingLog } from './memory-settings.ts';

const write = (ifEtag?: string, value: object | null = {}) => ({
  oid: OID,
  kind: 'HIVE' as const,
  name: 'n',
  by: 'me',
  value: value as Record<string, unknown> | null,
  ...(ifEtag === undefined ? {} : { ifEtag }),
});
const codeOf = (result: PromiseSettledResult<string>) =>
  result.status === 'fulfilled' ? 'ok' : (result.reason as { code: string }).code;

describe('writing a setting', () => {
  it('shows it at once, with an etag that each write changes, and deletes it', async () => {
    const one = new SettingLog().process();
    const first = await one.write(write(undefined, { a: 1 }));
    expect(one.get(OID, 'HIVE', 'n')).toMatchObject({ etag: first, value: { a: 1 }, updatedBy: 'me' });
    const second = await one.write(write(first, { a: 1 }));
    expect(second).not.toBe(first);
    expect(await one.write(write(second, null))).toBe('');
    expect(one.get(OID, 'HIVE', 'n')).toBeUndefined();
    await expect(one.write(write(second))).rejects.toMatchObject({ code: 'etag_mismatch', data: { etag: '' } });
    expect(await one.write(write(''))).not.toBe('');
  });

  it('reads the log before it decides, where its own table is behind', async () => {
    const log = new SettingLog();
    const [one, two] = [log.process('one'), log.process('two')];
    const etag = await one.write(write());
    await expect(two.write(write(''))).rejects.toMatchObject({ code: 'etag_mismatch', data: { etag } });
    await expect(two.write(write(etag))).resolves.toBeTruthy();
  });

  it('believes the log, not a Redis that lost its data', async () => {
    const log = new SettingLog();
    const [one, two] = [log.process('one'), log.process('two')];
    const old = await one.write(write());
    two.catchUp();
    const etag = await one.write(write(old));
    log.claims.clear();
    await expect(two.write(write(old))).rejects.toMatchObject({ code: 'etag_mismatch', data: { etag } });
  });

  it.each(['claim', 'append', 'settle'] as const)('goes on after a process that died before %s', async (at) => {
    const log = new SettingLog();
    const [one, two] = [log.process('one'), log.process('two')];
    const etag = await one.write(write());
    let dead = () => {};
    const died = new Promise<void>((resolve) => {
      dead = resolve;
    });
    log.step = async (process, what) => {
      if (process !== 'one' || what !== at) return;
      dead();
      await new Promise(() => {});
    };
    void one.write(write(etag));
    await died;
    const tried = await two.write(write(etag)).catch((error: unknown) => error);
    if (at === 'claim') return expect(tried).toBeTypeOf('string');
    expect(tried).toMatchObject({ code: 'unavailable', retriable: true });
    log.nowMs += 20_000;
    const again = two.write(write(etag));
    // Nobody knows whether the dead one's record came before its end; the log does.
    if (at === 'append') await expect(again).resolves.toBeTypeOf('string');
    else await expect(again).rejects.toMatchObject({ code: 'etag_mismatch' });
  });

  it('repeats a produce that failed, and gives up before its claim ends', async () => {
    const log = new SettingLog();
    let failures = 3;
    log.step = async (_process, what) => {
      if (what === 'append' && failures-- > 0) throw new Error('no leader');
    };
    await log.process().write(write());
    expect(log.entries).toHaveLength(1);
    failures = Number.POSITIVE_INFINITY;
    const startedMs = log.nowMs;
    await expect(log.process('two').write(write())).rejects.toMatchObject({ code: 'unavailable' });
    expect(log.nowMs - startedMs).toBeLessThan(5_000);
    expect(log.entries).toHaveLength(1);
  });

  it('of several writers with one etag in several processes exactly one wins, whatever the order of their steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), fc.boolean(), async (s, writers, lost) => {
        const log = new SettingLog();
        const etag = await log.process('zero').write(write());
        if (lost) log.claims.clear();
        const step = s.scheduleFunction(async () => {});
        log.step = () => step();
        const all = Promise.allSettled(
          Array.from({ length: writers }, (_, n) => log.process(`p${n}`).write(write(etag, { n }))),
        );
        const codes = (await s.waitFor(all)).map(codeOf);
        expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
        expect(codes.filter((code) => code === 'etag_mismatch')).toHaveLength(writers - 1);
        expect(log.entries).toHaveLength(2);
      }),
      { numRuns: 200 },
    );
  });
});
