import { describe, expect, it } from 'vitest';
import {
  ARCHITECTURE_NAMES,
  architectureCode,
  architectureName,
  PLATFORM_NAMES,
  platformCode,
  platformName,
} from '../../src/model/platforms.ts';

describe('platforms', () => {
  it('have the codes that events carry', () => {
    expect(platformCode('windows')).toBe(268435456);
    expect(platformCode('linux')).toBe(536870912);
    expect(platformCode('macos')).toBe(805306368);
    expect(platformCode('sophos')).toBe(4026531840);
    expect(platformCode('amiga')).toBeUndefined();
  });

  it('are found again by their code, signed or unsigned, whatever the lower bytes say', () => {
    for (const name of PLATFORM_NAMES) {
      const code = platformCode(name) ?? Number.NaN;
      expect(platformName(code)).toBe(name);
      expect(platformName(code | 0)).toBe(name);
      expect(platformName(code + 7)).toBe(name);
    }
    expect(new Set(PLATFORM_NAMES).size).toBe(63);
  });

  it('are shown as a number where they have no name', () => {
    expect(platformName(0)).toBe('0');
    expect(platformName(12345)).toBe('12345');
    expect(platformName(-1)).toBe('4294967295');
  });
});

describe('architectures', () => {
  it('have codes from 1 on', () => {
    expect(ARCHITECTURE_NAMES.map(architectureCode)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(ARCHITECTURE_NAMES.map((name) => architectureName(architectureCode(name) ?? 0))).toEqual(ARCHITECTURE_NAMES);
    expect(architectureName(2)).toBe('x64');
    expect(architectureName(77)).toBe('77');
    expect(architectureCode('z80')).toBeUndefined();
  });
});
