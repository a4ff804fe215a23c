import { describe, expect, test } from 'vitest';
import { fingerprintOf, fingerprintText } from '../../../src/edges/avro/fingerprint.ts';
import { currentSchema } from '../../../src/edges/avro/schema-files.ts';

describe('the CRC-64-AVRO fingerprint', () => {
  // From the test data of Apache Avro (share/test/data/schema-tests.txt), as unsigned hexadecimal.
  test.each([
    ['"null"', '63dd24e7cc258f8a'],
    ['"boolean"', '9f42fc78a4d4f764'],
    ['"int"', '7275d51a3f395c8f'],
    ['"long"', 'd054e14493f41db7'],
    ['"float"', '4d7c02cb3ea8d790'],
    ['"double"', '8e7535c032ab957e'],
    ['"bytes"', '4fc016dac3201965'],
    ['"string"', '8f014872634503c7'],
    ['', 'c15d213aa4d7a795'],
  ])('of %s is the known answer', (canonicalForm, expected) => {
    expect(fingerprintText(fingerprintOf(canonicalForm))).toBe(expected);
  });

  // Computed by fastavro 1.13 from the files of version 1: its canonical form and ours are the same text.
  test.each([
    ['TaskCommand', 'cac44427874c1a2b'],
    ['SensorPresence', '94911e2198ff5805'],
    ['SensorState', 'f7c213a7f32c0c16'],
  ] as const)('of %s is what another implementation computes', (name, expected) => {
    expect(fingerprintText(currentSchema(name).fingerprint)).toBe(expected);
  });
});
