import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/async/clock.ts';
import { startHeartbeat } from '../../../src/edges/redis/heartbeat.ts';

/** Timers and time of vitest. */
const time = { after: systemClock.after, monoMs: () => Date.now() };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('reports a lost connection at once and a silent Redis within two seconds, until an answer comes', async () => {
  const state = { connected: true, frozen: false };
  const answers: (() => void)[] = [];
  const ping = () => (state.frozen ? new Promise<void>((resolve) => answers.push(resolve)) : Promise.resolve());
  const heartbeat = startHeartbeat(() => state.connected, ping, time);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(heartbeat.fault()).toBeNull();
  state.connected = false;
  expect(heartbeat.fault()).toBe('Redis is not connected');
  state.connected = true;
  state.frozen = true;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(heartbeat.fault()).toContain('has not answered for');
  await vi.advanceTimersByTimeAsync(100);
  expect(heartbeat.isSilent()).toBe(true);
  expect(answers).toHaveLength(1);
  state.frozen = false;
  for (const answer of answers) answer();
  await vi.advanceTimersByTimeAsync(600);
  expect(heartbeat.fault()).toBeNull();
  expect(heartbeat.isSilent()).toBe(false);
  heartbeat.stop();
});

it('does not call Redis silent when this process was paused', async () => {
  let nowMs = 0;
  const heartbeat = startHeartbeat(
    () => true,
    () => Promise.resolve(),
    { ...time, monoMs: () => nowMs },
  );
  await vi.advanceTimersByTimeAsync(1_000);
  nowMs = 60_000;
  expect(heartbeat.isSilent()).toBe(false);
  heartbeat.stop();
});

it('counts a failed PING as silence', async () => {
  const heartbeat = startHeartbeat(
    () => true,
    () => Promise.reject(new Error('timed out')),
    time,
  );
  await vi.advanceTimersByTimeAsync(2_500);
  expect(heartbeat.fault()).toContain('has not answered');
  expect(heartbeat.isSilent()).toBe(true);
  heartbeat.stop();
});
