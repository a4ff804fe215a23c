import { describe, expect, test } from 'vitest';
import { javaMajor, newestJava } from '../../../src/stack/local/java.ts';

describe("Java's version", () => {
  test.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ['IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="21.0.4"\nOS_ARCH="x86_64"', 21],
    ['openjdk version "26-ea" 2026-03-17', 26],
    ['The operation couldn’t be completed. Unable to locate a Java Runtime.', undefined],
    ['', undefined],
  ])('%j is %s', (text, major) => {
    expect(javaMajor(text)).toBe(major);
  });
});

describe('the newest Java', () => {
  const found = [
    { command: 'a', major: 17 },
    { command: 'b', major: 25 },
    { command: 'c', major: 25 },
    { command: 'd', major: 11 },
  ];
  test('the highest version wins, of equals the first', () => {
    expect(newestJava(found, 17)?.command).toBe('b');
  });
  test('one that is too old is none', () => {
    expect(newestJava([{ command: 'd', major: 11 }], 17)).toBeUndefined();
    expect(newestJava([], 17)).toBeUndefined();
  });
});
