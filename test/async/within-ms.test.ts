import { expect, it, vi } from 'vitest';
import { withinMs } from '../../src/async/within-ms.ts';

/** A clock whose only timer the test fires. */
function stoppedClock() {
  let fire = () => {};
  const cancel = vi.fn();
  return {
    cancel,
    fire: () => fire(),
    after: (_ms: number, work: () => void) => {
      fire = work;
      return cancel;
    },
  };
}
const tooLate = () => {
  throw new Error('too late');
};

it('settles like work that is in time, and cancels its timer', async () => {
  const clock = stoppedClock();
  await expect(withinMs(5, Promise.resolve('done'), tooLate, clock)).resolves.toBe('done');
  await expect(withinMs(5, Promise.reject(new Error('broken')), tooLate, clock)).rejects.toThrow('broken');
  expect(clock.cancel).toHaveBeenCalledTimes(2);
});

it('settles like the late function once the time has passed', async () => {
  const clock = stoppedClock();
  const never = new Promise<never>(() => {});
  const rejected = withinMs(5, never, tooLate, clock);
  clock.fire();
  await expect(rejected).rejects.toThrow('too late');
  const unanswered = withinMs(5_000, never, undefined, clock);
  clock.fire();
  await expect(unanswered).rejects.toThrow('no answer within 5 s');
  const answered = withinMs(5, never, () => 'instead', clock);
  clock.fire();
  await expect(answered).resolves.toBe('instead');
});
