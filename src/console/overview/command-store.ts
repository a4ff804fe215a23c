/**
 * The command lines of tasks whose events have only the id. The event that queues a task has its command line. For older tasks
 * it is requested when the row becomes visible: once for each task, and `AT_ONCE` at a time.
 */
import { signal } from '@preact/signals';

const AT_ONCE = 2;
const KNOWN_MAX = 2_000;

export type CommandStore = {
  /** By task id; '' while it is requested, and if the task does not exist any more. */
  commands: { readonly value: ReadonlyMap<string, string> };
  note(taskId: string, command: string): void;
  inView(taskIds: readonly string[]): void;
};

/** `ask` returns the command line of one task, and may throw. */
export function createCommands(ask: (taskId: string) => Promise<string>): CommandStore {
  const commands = signal<ReadonlyMap<string, string>>(new Map());
  let visible: readonly string[] = [];
  let running = 0;

  function note(taskId: string, command: string): void {
    const next = new Map(commands.value).set(taskId, command);
    if (next.size > KNOWN_MAX) next.delete(next.keys().next().value as string);
    commands.value = next;
  }

  function pump(): void {
    while (running < AT_ONCE) {
      const id = visible.find((one) => !commands.value.has(one));
      if (id === undefined) return;
      note(id, '');
      void look(id);
    }
  }

  async function look(id: string): Promise<void> {
    running += 1;
    const command = await ask(id).catch(() => '');
    if (command !== '') note(id, command);
    running -= 1;
    pump();
  }

  return {
    commands,
    note,
    inView(taskIds) {
      visible = taskIds;
      pump();
    },
  };
}
