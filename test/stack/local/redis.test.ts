import { describe, expect, test } from 'vitest';
import { embeddedBinary, isNewEnough, redisArguments } from '../../../src/stack/local/redis.ts';

test.each([
  ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0', true],
  ['Redis server v=6.2.0 sha=0', true],
  ['Redis server v=6.0.16 sha=0', false],
  ['Redis server v=10.0.0 sha=0', true],
  ['Valkey server v=8.1.1 sha=0', true],
  ['Server v=7.2.5 sha=0 (valkey)', true],
  ['something else', false],
])('%j is new enough: %s', (text, enough) => {
  expect(isNewEnough(text)).toBe(enough);
});

describe('the binary inside the jar', () => {
  const files = [
    'META-INF',
    'redis-server-5.0.14.1-windows-amd64.exe',
    'redis-server-6.2.6-v5-darwin-arm64',
    'redis-server-6.2.6-v5-linux-amd64',
    'redis-server-6.2.7-linux-386',
    'redis-server-6.2.7-linux-arm64',
  ];
  test.each([
    ['linux', 'x64', 'redis-server-6.2.6-v5-linux-amd64'],
    ['linux', 'arm64', 'redis-server-6.2.7-linux-arm64'],
    ['linux', 'ia32', 'redis-server-6.2.7-linux-386'],
    ['darwin', 'arm64', 'redis-server-6.2.6-v5-darwin-arm64'],
    ['darwin', 'x64', undefined],
    // Redis 5 for Windows lacks commands that are needed.
    ['win32', 'x64', undefined],
    ['linux', 'riscv64', undefined],
  ])('for %s on %s is %s', (os, cpu, file) => {
    expect(embeddedBinary(files, os, cpu)).toBe(file);
  });
});

test('only a Redis that must keep its data writes to disk', () => {
  const place = { port: 7000, dir: '/d' };
  expect(redisArguments({ ...place, persist: true }).join(' ')).toContain('--appendonly yes');
  expect(redisArguments({ ...place, persist: false }).join(' ')).toContain('--appendonly no');
  for (const persist of [true, false]) {
    const args = redisArguments({ ...place, persist });
    expect(args[args.indexOf('--save') + 1]).toBe('');
    expect(args[args.indexOf('--bind') + 1]).toBe('127.0.0.1');
  }
});
