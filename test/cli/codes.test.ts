import { describe, expect, it } from 'vitest';
import { CLI_CODES, EXIT, exitCodeOf, serverCodes } from '../../src/cli/codes.ts';
import { asCliError, errorOfAnswer } from '../../src/cli/errors.ts';
import { ApiError, ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { counted } from '../../src/text/counted.ts';

describe('the exit code of an error', () => {
  it('is that of the table, whether the server said it or the command line itself', () => {
    const table = new Map<string, number>(serverCodes().map(([code, exitCode]) => [code, exitCode]));
    for (const [code, [exitCode]] of Object.entries(CLI_CODES)) table.set(code, exitCode);
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const { status } = ERROR_CODES[code];
      expect([code, errorOfAnswer(status, { error: 'x', error_code: code }).exitCode]).toEqual([code, table.get(code)]);
      expect([code, asCliError(new ApiError(code, 'x')).exitCode]).toEqual([code, table.get(code)]);
    }
  });

  it('follows from the status where a code is not known', () => {
    expect(errorOfAnswer(502, 'bad gateway')).toMatchObject({ code: 'http_502', exitCode: EXIT.unavailable });
    expect(exitCodeOf('from_a_later_version', 404)).toBe(EXIT.notFound);
  });
});

it('counts in words', () => {
  expect([0, 1, 2].map((count) => counted(count, 'check'))).toEqual(['0 checks', '1 check', '2 checks']);
  expect(counted(3, 'delivery', 'deliveries')).toBe('3 deliveries');
});
