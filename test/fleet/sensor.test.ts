import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSensor, makeSensors, PLATFORM_CODES } from '../../src/fleet/sensor.ts';
import { isName } from '../../src/model/ids.ts';

const UUID_V5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const numbers = fc.integer({ min: 0, max: 1_000_000 });

describe('simulated sensors', () => {
  it('follow from seed and number alone', () => {
    fc.assert(
      fc.property(seeds, numbers, (seed, n) => {
        expect(makeSensor(seed, n)).toEqual(makeSensor(seed, n));
      }),
    );
    expect(makeSensors(7, 10)).toEqual(makeSensors(7, 100).slice(0, 10));
  });

  it('have sids that are UUIDs of version 5, and no two the same', () => {
    fc.assert(
      fc.property(seeds, numbers, (seed, n) => {
        expect(makeSensor(seed, n).sid).toMatch(UUID_V5);
      }),
    );
    const sids = [1, 2].flatMap((seed) => makeSensors(seed, 2_000).map(({ sid }) => sid));
    expect(new Set(sids).size).toBe(4_000);
  });

  it('have every fact set', () => {
    fc.assert(
      fc.property(seeds, numbers, (seed, n) => {
        const { facts } = makeSensor(seed, n);
        for (const text of [facts.iid, facts.did, facts.hostname]) expect(isName(text)).toBe(true);
        for (const ip of [facts.ext_ip, facts.int_ip]) expect(ip).toMatch(/^\d{1,3}(\.\d{1,3}){3}$/);
        expect(facts.mac_addr).toMatch(/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/);
        expect(Object.values(PLATFORM_CODES)).toContain(facts.plat);
        expect([1, 2, 4]).toContain(facts.arch);
        expect(facts.enroll).toBeGreaterThan(0);
        expect(facts.tags.length).toBeGreaterThan(1);
      }),
    );
  });

  it('are five Windows, three Linux and two macOS of any ten neighbours', () => {
    fc.assert(
      fc.property(seeds, numbers, (seed, first) => {
        const plats = Array.from({ length: 10 }, (_, i) => makeSensor(seed, first + i).facts.plat);
        const count = (code: number) => plats.filter((plat) => plat === code).length;
        expect([PLATFORM_CODES.windows, PLATFORM_CODES.linux, PLATFORM_CODES.macos].map(count)).toEqual([5, 3, 2]);
      }),
    );
  });

  it('give the selectors of the examples something to find and something to leave out', () => {
    const linux = makeSensors(1, 200).filter(({ facts }) => facts.plat === PLATFORM_CODES.linux);
    for (const found of [
      linux.filter(({ facts }) => facts.int_ip.startsWith('10.3.')),
      linux.filter(({ facts }) => facts.tags.includes('production')),
      linux.filter(({ facts }) => facts.tags.includes('vip')),
    ]) {
      expect(found.length).toBeGreaterThan(0);
      expect(found.length).toBeLessThan(linux.length);
    }
  });

  it('let the first one be renamed, which changes nothing else', () => {
    const [renamed, ...rest] = makeSensors(3, 5, 'sensor-123-abc');
    const [plain, ...plainRest] = makeSensors(3, 5);
    expect(renamed).toEqual({ ...plain, sid: 'sensor-123-abc' });
    expect(rest).toEqual(plainRest);
  });
});
