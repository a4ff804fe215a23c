import { describe, expect, test, vi } from 'vitest';
import { createCommands } from '../../../src/console/overview/command-store.ts';

describe('commands of tasks', () => {
  test('are those that events tell; others are asked for when they come into view, each once', async () => {
    const ask = vi.fn(async (id: string) => `command of ${id}`);
    const store = createCommands(ask);
    store.note('told', 'netstat');
    store.inView(['told', 'old', 'older', 'oldest', 'old']);
    await vi.waitFor(() => expect(store.commands.value.get('oldest')).toBe('command of oldest'));
    store.inView(['old', 'told']);
    expect(store.commands.value.get('told')).toBe('netstat');
    expect(ask.mock.calls.map(([id]) => id)).toEqual(['old', 'older', 'oldest']);
  });

  test('at most two are asked for at a time, and rows that have left the view are not', async () => {
    const open: (() => void)[] = [];
    const ask = vi.fn((id: string) => new Promise<string>((resolve) => open.push(() => resolve(id))));
    const store = createCommands(ask);
    store.inView(['a', 'b', 'c', 'd']);
    expect(ask).toHaveBeenCalledTimes(2);
    store.inView(['d']);
    open[0]?.();
    await vi.waitFor(() => expect(ask.mock.calls.map(([id]) => id)).toEqual(['a', 'b', 'd']));
  });

  test('a task that is not there any more is shown by its id and not asked for again', async () => {
    const ask = vi.fn(() => Promise.reject(new Error('task_unknown')));
    const store = createCommands(ask);
    store.inView(['gone']);
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(1));
    store.inView(['gone', 'gone']);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(store.commands.value.get('gone')).toBe('');
  });

  test('are bounded', () => {
    const store = createCommands(async () => 'x');
    for (let i = 0; i < 2_500; i += 1) store.note(`task ${i}`, 'x');
    expect(store.commands.value.size).toBe(2_000);
    expect(store.commands.value.has('task 2499')).toBe(true);
  });
});
