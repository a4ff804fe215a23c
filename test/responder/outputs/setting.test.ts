/** Which targets of outputs are accepted. */
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/errors.ts';
import { readOutput, shownOutput } from '../../../src/responder/outputs/setting.ts';

const rules = { outputDir: '/out', allowPrivate: false };
const isAccepted = (value: Record<string, unknown>, given = rules): boolean => {
  try {
    readOutput(value, given);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'output_invalid') return false;
    throw error;
  }
};

describe('a webhook', () => {
  it.each([
    ['https://siem.example/hook', true],
    ['http://8.8.8.8:8080/x', true],
    ['http://127.0.0.1/x', false],
    ['http://10.0.0.1/x', false],
    ['http://[::1]/x', false],
    ['http://[::ffff:10.0.0.1]/x', false],
    ['http://2130706433/x', false],
    ['http://localhost:9/x', false],
    ['http://169.254.169.254/latest', false],
    ['http://0.1.2.3/x', false],
    ['http://[64:ff9b::a9fe:a9fe]/x', false],
    ['http://[2002:7f00:1::]/x', false],
    ['http://[::127.0.0.1]/x', false],
    ['http://[2001:4860:4860::8888]/x', true],
    ['ftp://a.example/x', false],
    ['https://user:secret@a.example/', false],
    ['nonsense', false],
    ['', false],
  ])('%s: %s', (url, accepted) => expect(isAccepted({ type: 'webhook', url })).toBe(accepted));

  it('at a private address is accepted if the operator allows it', () =>
    expect(isAccepted({ type: 'webhook', url: 'http://127.0.0.1/x' }, { ...rules, allowPrivate: true })).toBe(true));

  it.each([
    [{ authorization: 'Bearer x' }, true],
    [{ host: 'other' }, false],
    [{ 'x-a': 'line\r\nbreak' }, false],
    [{ 'x a': 'b' }, false],
    [{ 'x-a': 5 }, false],
    [[], false],
  ])('with headers %j: %s', (headers, accepted) =>
    expect(isAccepted({ type: 'webhook', url: 'https://a.example/', headers: headers as unknown })).toBe(accepted),
  );

  it('is shown without the values of its headers', () => {
    const target = readOutput(
      { type: 'webhook', url: 'https://a.example/', headers: { authorization: 'secret' } },
      rules,
    );
    expect(JSON.stringify(shownOutput(target))).not.toContain('secret');
  });
});

describe('a file', () => {
  it.each([
    ['answers.jsonl', true],
    ['a/b/c.jsonl', true],
    ['../x', false],
    ['a/../../x', false],
    ['/etc/passwd', false],
    ['.hidden', false],
    ['a//b', false],
    ['a\\b', false],
    ['', false],
  ])('%s: %s', (path, accepted) => expect(isAccepted({ type: 'file', path })).toBe(accepted));

  it('without OUTPUT_DIR is refused', () =>
    expect(isAccepted({ type: 'file', path: 'a' }, { ...rules, outputDir: '' })).toBe(false));
});
