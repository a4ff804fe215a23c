/** `task`: queues a command for every sensor that matches, online or not. */
import type { Command } from 'commander';
import { CONFIRM_ABOVE } from '../../../model/confirm.ts';
import type { PreviewAnswer, TaskAnswer } from '../../api/answers.ts';
import type { Client } from '../../api/client.ts';
import { type Act, type ConfirmFlags, confirm, sensorsText, withYes } from '../../api/confirm.ts';
import type { ApiFlags } from '../../api/settings.ts';
import type { Io } from '../../io.ts';
import { painter, prettyJson } from '../../io.ts';
import {
  clientOf,
  durationOption,
  type TargetFlags,
  targetOf,
  withApiOptions,
  withExamples,
  withTarget,
} from '../../options.ts';
import { clip, facts } from '../../text/table.ts';

type Flags = ApiFlags & ConfirmFlags & TargetFlags & { context?: string; ttl?: number; idempotencyKey?: string };

/** Characters of the command line in the question, so that it fits on a line. */
const COMMAND_SHOWN = 60;

export function registerTask(program: Command, io: Io): void {
  const command = program
    .command('task')
    .summary('queue a command for sensors')
    .description(
      'Queues a command for every sensor that matches now or before the ttl ends. Without a target, it queues the command for all sensors. On a terminal, it ' +
        `first counts the sensors. Above ${CONFIRM_ABOVE}, it asks you to type their number.`,
    )
    .argument('<command...>', 'the command line for the sensors; quote it, or put -- before it, if it has options');
  withYes(withApiOptions(withTarget(command)))
    .option('--context <text>', 'returned in the investigation_id of every response')
    .option('--ttl <duration>', 'time to live: seconds, or 90s, 15m, 1h30m, 7d (default: a week)', durationOption)
    .option('--idempotency-key <key>', 'a retry with the same key adds no second task')
    .action((words: string[], flags: Flags) => queue(words.join(' '), flags, io));
  withExamples(command, io, [
    ['task os_version --tag production --ttl 1h', 'all sensors with a tag, for one hour'],
    ["task 'run --shell-command whoami' --selector 'plat == windows' --context audit-7", 'by selector'],
    ['task --sid sensor-123-abc -- file_get -f /etc/passwd', 'one sensor; everything after -- is the command line'],
  ]);
}

async function queue(task: string, flags: Flags, io: Io): Promise<void> {
  const client = clientOf(flags, io);
  const target = targetOf(flags);
  // A sid matches at most one sensor, so no count is needed.
  if (target.sid === undefined) await confirm(queueing(client, task, target), flags, io);
  const answer = await client.request<TaskAnswer>('task', {
    task,
    ...target,
    ...(flags.context === undefined ? {} : { context: flags.context }),
    ...(flags.ttl === undefined ? {} : { ttl: flags.ttl }),
    ...(flags.idempotencyKey === undefined ? {} : { idempotency_key: flags.idempotencyKey }),
  });
  if (flags.json) {
    io.out(prettyJson(answer));
    return;
  }
  const count = (value: number | undefined) => (value === undefined ? 'not known yet' : String(value));
  io.out(
    facts(
      [
        ['task', answer.task_id],
        ['matched', count(answer.total_sensors)],
        ['online', count(answer.tasked_sensors)],
        ['waiting', count(answer.queued_sensors)],
      ],
      painter(io.colour),
    ),
  );
}

function queueing(client: Client, task: string, target: TargetFlags): Act {
  const what = `This queues '${clip(task, COMMAND_SHOWN)}' for`;
  return {
    count: async () => {
      const { total_sensors: sensors, online_sensors: online } = await client.request<PreviewAnswer>('preview', {
        ...target,
        limit: 1,
      });
      return { sensors, sentence: `${what} ${sensorsText(sensors)}, ${online} online now.` };
    },
    uncounted: `${what} every sensor that matches.`,
    nothing: 'Nothing was queued',
  };
}
