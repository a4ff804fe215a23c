import { expect, test } from 'vitest';
import { networkOf } from '../../../src/api/auth/network.ts';

test.each([
  ['192.0.2.1', '192.0.2.1:4711'],
  ['192.0.2.1', '::ffff:192.0.2.1'],
  ['192.0.2.1', '::ffff:c000:201'],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['2001:db8:1:2::1', '[2001:db8:1:2::2]:443'],
  ['2001:db8:1:2::1', '[2001:DB8:1:2::2]'],
])('%s and %s stand for one', (one, other) => {
  expect(networkOf(one)).toBe(networkOf(other));
});

test.each([
  ['192.0.2.1', '192.0.2.2'],
  ['2001:db8:1:2::1', '2001:db8:1:3::1'],
  ['fe80::1%eth0', 'fe80::1%eth1'],
  ['unknown', ''],
])('%s and %s do not', (one, other) => {
  expect(networkOf(one)).not.toBe(networkOf(other));
});
