/** `untask`: withdraws tasks, whole or for some sensors. What was sent already can't be recalled. */

import type { Command } from 'commander';
import { counted } from '../../counted.ts';
import type { UntaskAnswer } from '../answers.ts';
import { usageError } from '../errors.ts';
import type { Io } from '../io.ts';
import { prettyJson } from '../io.ts';
import {
  clientOf,
  type JsonFlag,
  type TargetFlags,
  targetOf,
  withApiOptions,
  withExamples,
  withTarget,
} from '../options.ts';
import type { ApiFlags } from '../settings.ts';

type Flags = ApiFlags & JsonFlag & TargetFlags;

export function registerUntask(program: Command, io: Io): void {
  const command = program
    .command('untask')
    .summary('withdraw tasks')
    .description('Withdraws a task, or with a target its part for those sensors; with a target alone, all their tasks.')
    .argument('[task-id]', 'the task');
  withApiOptions(withTarget(command)).action((taskId: string | undefined, flags: Flags) => withdraw(taskId, flags, io));
  withExamples(command, io, [
    ['untask 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10', 'one task, for all sensors'],
    ['untask 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10 --tag vip', 'one task, for the sensors with a tag'],
    ["untask --selector '*'", 'all tasks of the org'],
  ]);
}

async function withdraw(taskId: string | undefined, flags: Flags, io: Io): Promise<void> {
  const target = targetOf(flags);
  if (taskId === undefined && Object.keys(target).length === 0) {
    throw usageError('Neither a task nor a target is given.', "For all tasks of the org: {rt} untask --selector '*'.");
  }
  const answer = await clientOf(flags, io).request<UntaskAnswer>('untask', {
    ...target,
    ...(taskId === undefined ? {} : { task_id: taskId }),
  });
  if (flags.json) {
    io.out(prettyJson(answer));
    return;
  }
  const removed = answer.tasks === undefined ? '' : `${counted(answer.tasks, 'task')} removed, `;
  io.out(`${removed}${counted(answer.deleted, 'delivery', 'deliveries')} withdrawn\n`);
  if (answer.tasks === 0 && answer.deleted === 0) io.err('Nothing of that waits.\n');
}
