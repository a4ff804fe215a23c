/** `untask`: withdraws tasks from all or some sensors. A dispatch that was sent cannot be recalled. */

import type { Command } from 'commander';
import { CONFIRM_ABOVE } from '../../../model/confirm.ts';
import { counted } from '../../../text/counted.ts';
import type { UntaskAnswer } from '../../api/answers.ts';
import type { Client } from '../../api/client.ts';
import { type Act, type ConfirmFlags, confirm, sensorsText, withYes } from '../../api/confirm.ts';
import { countOpen } from '../../api/open-deliveries.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { usageError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { prettyJson } from '../../io.ts';
import { clientOf, type TargetFlags, targetOf, withApiOptions, withExamples, withTarget } from '../../options.ts';
import { visible } from '../../text/table.ts';

type Flags = ApiFlags & ConfirmFlags & TargetFlags;

export function registerUntask(program: Command, io: Io): void {
  const command = program
    .command('untask')
    .summary('withdraw tasks')
    .description(
      'Withdraws a task from all its sensors or, with a target, from these sensors. A target without a task withdraws all tasks of these sensors. ' +
        `On a terminal, it first counts the sensors that have not answered. Above ${CONFIRM_ABOVE}, it asks you to type their number.`,
    )
    .argument('[task-id]', 'the task');
  withYes(withApiOptions(withTarget(command))).action((taskId: string | undefined, flags: Flags) =>
    withdraw(taskId, flags, io),
  );
  withExamples(command, io, [
    ['untask 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10', 'one task, for all sensors'],
    ['untask 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10 --tag vip', 'one task, for the sensors with a tag'],
    ["untask --selector '*'", 'all tasks of the org'],
  ]);
}

async function withdraw(taskId: string | undefined, flags: Flags, io: Io): Promise<void> {
  const target = targetOf(flags);
  if (taskId === undefined && Object.keys(target).length === 0) {
    throw usageError('No task and no target is given.', "For all tasks of the org: {rt} untask --selector '*'.");
  }
  const client = clientOf(flags, io);
  await confirm(withdrawing(client, taskId, target), flags, io);
  const answer = await client.request<UntaskAnswer>('untask', {
    ...target,
    ...(taskId === undefined ? {} : { task_id: taskId }),
  });
  if (flags.json) {
    io.out(prettyJson(answer));
    return;
  }
  const removed = answer.tasks === undefined ? '' : `${counted(answer.tasks, 'task')} removed, `;
  io.out(`${removed}${counted(answer.deleted, 'delivery', 'deliveries')} withdrawn\n`);
  if (answer.tasks === 0 && answer.deleted === 0) io.err('No pending delivery matches.\n');
}

function withdrawing(client: Client, taskId: string | undefined, target: TargetFlags): Act {
  const what = `This withdraws ${taskId === undefined ? 'every pending task' : `task ${visible(taskId)}`} from`;
  return {
    count: async () => {
      const { sensors, isExact } = await countOpen(client, taskId, target);
      const whom = isExact ? `${sensorsText(sensors)} that have not answered` : `up to ${sensorsText(sensors)}`;
      return { sensors, sentence: `${what} ${whom}.` };
    },
    uncounted: `${what} every sensor that has not answered.`,
    nothing: 'Nothing was withdrawn',
  };
}
