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
  it('have the codes of sensor events', () => {
    expect(platformCode('windows')).toBe(268435456);
    expect(platformCode('linux')).toBe(536870912);
    expect(platformCode('macos')).toBe(805306368);
    expect(platformCode('sophos')).toBe(4026531840);
    expect(platformCode('amiga')).toBeUndefined();
  });

  it('are found by their code, signed or unsigned, with any lower bytes', () => {
    for (const name of PLATFORM_NAMES) {
      const code = platformCode(name) ?? Number.NaN;
      expect(platformName(code)).toBe(name);
      expect(platformName(code | 0)).toBe(name);
      expect(platformName(code + 7)).toBe(name);
    }
    expect(new Set(PLATFORM_NAMES).size).toBe(63);
  });

  it('without a name are shown as a number', () => {
    expect(platformName(0)).toBe('0');
    expect(platformName(12345)).toBe('12345');
    expect(platformName(-1)).toBe('4294967295');
  });
});

describe('architectures', () => {
  it('have codes that start at 1', () => {
    expect(ARCHITECTURE_NAMES.map(architectureCode)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(ARCHITECTURE_NAMES.map((name) => architectureName(architectureCode(name) ?? 0))).toEqual(ARCHITECTURE_NAMES);
    expect(architectureName(2)).toBe('x64');
    expect(architectureName(77)).toBe('77');
    expect(architectureCode('z80')).toBeUndefined();
  });
});
