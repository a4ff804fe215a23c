import { expect, test } from 'vitest';
import { within } from '../../src/api/reads.ts';
import { ApiError } from '../../src/errors.ts';

test('an answer within the time limit passes', async () => {
  expect(await within(1_000, 'Redis', Promise.resolve(7))).toBe(7);
});

test('no answer and a failed call become unavailable, with a time to wait', async () => {
  const faults = [() => new Promise(() => {}), () => Promise.reject(new Error('ECONNREFUSED'))];
  for (const ask of faults) {
    const error = await within(10, 'Redis', ask()).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ code: 'unavailable', status: 503, retriable: true, retryAfterSeconds: 2 });
  }
});

test('an error with a code keeps its code', async () => {
  const own = new ApiError('task_unknown', 'No.');
  await expect(within(10, 'Redis', Promise.reject(own))).rejects.toBe(own);
});
