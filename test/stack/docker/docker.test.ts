import { describe, expect, test } from 'vitest';
import { publishedPort } from '../../../src/stack/docker/compose.ts';
import { failureLine } from '../../../src/stack/docker/docker.ts';

describe('why docker failed, in one line', () => {
  const failure = (more: object) => ({ shortMessage: 'Command failed', ...more });
  test.each([
    [{ code: 'ENOENT' }, 'docker is not installed'],
    [{ timedOut: true, stderr: 'half a li' }, 'no answer within 8 s'],
    [{ stderr: 'Pulling\nError: no such host\n\n' }, 'Error: no such host'],
    [
      { stderr: "docker: unknown command: docker compose\n\nRun 'docker --help' for more\n" },
      'docker: unknown command: docker compose',
    ],
    [{ stderr: '' }, 'Command failed'],
  ])('%j', (more, line) => {
    expect(failureLine(failure(more), 8000)).toBe(line);
  });
});

test.each([
  ['127.0.0.1:9092', 9092],
  ['127.0.0.1:19092\n', 19092],
  [':0', undefined],
  ['', undefined],
])('the published port in %j is %s', (text, port) => {
  expect(publishedPort(text)).toBe(port);
});
