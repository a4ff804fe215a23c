import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../../src/cli/errors.ts';
import { durationText, parseDuration } from '../../../src/cli/text/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['3600', 3_600],
    ['90s', 90],
    ['15m', 900],
    ['1h', 3_600],
    ['1h30m', 5_400],
    ['7d', 604_800],
    ['2W', 1_209_600],
    [' 5m ', 300],
  ])('reads %j as %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(['', 'soon', '-1', '1.5h', '1y', 'h', '1h 30m', '1e3', '99999999999'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(CliError);
  });

  it('throws nothing but a usage error, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(Number.isSafeInteger(parseDuration(text))).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'usage', exitCode: 2 });
        }
      }),
    );
  });
});

describe('durationText', () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [45, '45s'],
    [3_570, '59m 30s'],
    [3_600, '1h'],
    [3_605, '1h'],
    [604_800 - 1, '6d 23h'],
  ])('shows %d seconds as %s', (seconds, text) => expect(durationText(seconds)).toBe(text));

  it('is read back as no more than what was shown, and less by under one hour a day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (seconds) => {
        const back = parseDuration(durationText(seconds).replace(' ', ''));
        expect(back).toBeLessThanOrEqual(seconds);
        expect(seconds - back).toBeLessThan(3_600);
      }),
    );
  });
});
