import { describe, expect, test, vi } from 'vitest';
import { createCommands } from '../../../src/console/overview/command-store.ts';

describe('command lines of tasks', () => {
  test('are taken from events; others are requested when they become visible, each once', async () => {
    const ask = vi.fn(async (id: string) => `command of ${id}`);
    const store = createCommands(ask);
    store.note('known', 'netstat');
    store.inView(['known', 'old', 'older', 'oldest', 'old']);
    await vi.waitFor(() => expect(store.commands.value.get('oldest')).toBe('command of oldest'));
    store.inView(['old', 'known']);
    expect(store.commands.value.get('known')).toBe('netstat');
    expect(ask.mock.calls.map(([id]) => id)).toEqual(['old', 'older', 'oldest']);
  });

  test('at most two are requested at a time, and rows that are no longer visible are not', async () => {
    const open: (() => void)[] = [];
    const ask = vi.fn((id: string) => new Promise<string>((resolve) => open.push(() => resolve(id))));
    const store = createCommands(ask);
    store.inView(['a', 'b', 'c', 'd']);
    expect(ask).toHaveBeenCalledTimes(2);
    store.inView(['d']);
    open[0]?.();
    await vi.waitFor(() => expect(ask.mock.calls.map(([id]) => id)).toEqual(['a', 'b', 'd']));
  });

  test('a task that does not exist any more is shown by its id and not requested again', async () => {
    const ask = vi.fn(() => Promise.reject(new Error('task_unknown')));
    const store = createCommands(ask);
    store.inView(['gone']);
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(1));
    store.inView(['gone', 'gone']);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(store.commands.value.get('gone')).toBe('');
  });

  test('are limited in number', () => {
    const store = createCommands(async () => 'x');
    for (let i = 0; i < 2_500; i += 1) store.note(`task ${i}`, 'x');
    expect(store.commands.value.size).toBe(2_000);
    expect(store.commands.value.has('task 2499')).toBe(true);
  });
});
