/**
 * `watch`: prints task events live. If the stream ends or the server is unavailable, it reconnects with the id of the last event.
 * A wrong key or org ends it with an error. Ctrl-C ends it with exit code 0.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { SseEvent } from '../../../text/sse.ts';
import type { ActivityEvent } from '../../api/answers.ts';
import type { Client } from '../../api/client.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { EXIT } from '../../codes.ts';
import { CliError } from '../../errors.ts';
import { type Io, json, painter } from '../../io.ts';
import { clientOf, type JsonFlag, withApiOptions, withExamples } from '../../options.ts';
import { activityLine } from '../../text/activity.ts';

type Flags = ApiFlags & JsonFlag & { task?: string; sid?: string };

const RECONNECT_MS = { first: 500, most: 5_000 } as const;

export function registerWatch(program: Command, io: Io): void {
  const command = program
    .command('watch')
    .summary('follow tasks live')
    .description('Prints task events of the org live, until Ctrl-C. With --json, it prints one object per line.');
  withApiOptions(command)
    .option('--task <task-id>', 'only events of this task')
    .option('--sid <sid>', 'only this sensor')
    .action((flags: Flags) => watch(flags, io));
  withExamples(command, io, [
    ['watch', 'everything'],
    ['watch --task 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10', 'one task'],
    ['watch --json | jq -c \'select(.type == "task_failure")\'', 'failures, for programs'],
  ]);
}

async function watch(flags: Flags, io: Io): Promise<void> {
  const query = {
    ...(flags.task === undefined ? {} : { task_id: flags.task }),
    ...(flags.sid === undefined ? {} : { sid: flags.sid }),
  };
  const paint = painter(io.colour);
  for await (const { id, event, data } of follow(clientOf(flags, io), query, io)) {
    if (event === 'gap')
      io.err(
        'Events were missed after the stream ended: there were too many, or the server no longer knows the last event.\n',
      );
    const activity = parse(data);
    if (activity === undefined) continue;
    io.out(flags.json ? json({ id, type: event, ...activity }) : `${activityLine(event, activity, paint)}\n`);
  }
}

export type FollowOptions = {
  onOpen?(): void;
  /** True to reconnect after this error. By default, no refusal is retried. */
  passes?(refusal: CliError): boolean;
};

/** An endless stream of events. The first connect must succeed. Later ones are retried while the server is unavailable. */
export async function* follow(
  client: Client,
  query: Record<string, string>,
  io: Pick<Io, 'stopped' | 'err'>,
  { onOpen = () => {}, passes = () => false }: FollowOptions = {},
): AsyncGenerator<SseEvent> {
  let lastEventId = '';
  let waitMs: number = RECONNECT_MS.first;
  let connected = false;
  let isTold = false;
  while (!io.stopped.aborted) {
    try {
      const opened = () => {
        connected = true;
        isTold = false;
        waitMs = RECONNECT_MS.first;
        onOpen();
      };
      const remember = (id: string) => {
        lastEventId = id;
      };
      for await (const event of client.events(query, lastEventId, opened, remember)) {
        if (event.event !== 'gap' && event.id !== '') lastEventId = event.id;
        yield event;
      }
    } catch (error) {
      if (io.stopped.aborted) return;
      if (!connected || !(error instanceof CliError)) throw error;
      if (error.exitCode !== EXIT.unavailable && !passes(error)) throw error;
    }
    if (io.stopped.aborted) return;
    if (!isTold) io.err('The stream ended. Reconnecting.\n');
    isTold = true;
    await sleep(waitMs, undefined, { signal: io.stopped }).catch(() => {});
    waitMs = Math.min(waitMs * 2, RECONNECT_MS.most);
  }
}

function parse(data: string): ActivityEvent | undefined {
  try {
    const value = JSON.parse(data) as Partial<ActivityEvent> | null;
    return value?.routing && value.event ? (value as ActivityEvent) : undefined;
  } catch {
    return undefined;
  }
}
