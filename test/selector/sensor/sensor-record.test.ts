import { describe, expect, it } from 'vitest';
import { compileSelector } from '../../../src/selector/evaluate/compile.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';
import { type SelectorFacts, toSelectorRecord } from '../../../src/selector/sensor/sensor-record.ts';

const sensor = {
  oid: 'o-1',
  sid: 's-1',
  facts: {
    iid: 'i-1',
    did: 'd-1',
    hostname: 'web-1',
    ext_ip: '203.0.113.9',
    int_ip: '10.3.0.7',
    mac_addr: '',
    plat: 0x10000000,
    ext_plat: -0x10000000,
    arch: 2,
    enroll: 1_700_000_000_999,
    isolated: false,
    kernel: true,
  },
  should_isolate: true,
  alive: 1_717_000_000_000,
  tags: ['vip'],
} satisfies SelectorFacts;

describe('the record of a sensor', () => {
  it('has names for codes and seconds for times', () => {
    expect(toSelectorRecord(sensor)).toEqual({
      oid: 'o-1',
      sid: 's-1',
      iid: 'i-1',
      did: 'd-1',
      hostname: 'web-1',
      ext_ip: '203.0.113.9',
      int_ip: '10.3.0.7',
      mac_addr: '',
      plat: 'windows',
      ext_plat: 'sophos',
      arch: 'x64',
      enroll: 1_700_000_000,
      alive: 1_717_000_000,
      isolated: false,
      should_isolate: true,
      kernel: true,
      tags: ['vip'],
    });
  });

  it('has no unknown times, so that clauses about them are errors', () => {
    const record = toSelectorRecord({ ...sensor, facts: { ...sensor.facts, enroll: null }, alive: null });
    expect(Object.keys(record)).not.toContain('enroll');
    expect(Object.keys(record)).not.toContain('alive');
    expect(compileSelector(parseSelector('enroll != 0'))(record)).toBe('error');
  });

  it('has only sid and oid if the facts were never sent', () => {
    const { facts: _, ...unknown } = sensor;
    const record = toSelectorRecord(unknown);
    expect(record).toEqual({ oid: 'o-1', sid: 's-1' });
    expect(compileSelector(parseSelector('sid == "s-1"'))(record)).toBe(true);
    expect(compileSelector(parseSelector('"vip" in tags'))(record)).toBe('error');
    expect(compileSelector(parseSelector('*'))(record)).toBe(true);
  });
});
