/** `why`: says in one sentence whether a sensor has run a task, and if not, why. */
import type { Command } from 'commander';
import type { WhyAnswer } from '../../api/answers.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { clientOf, type JsonFlag, withApiOptions, withExamples } from '../../options.ts';
import { visible } from '../../text/table.ts';
import { STATE_STYLES } from './show.ts';

type Flags = ApiFlags & JsonFlag;

export function registerWhy(program: Command, io: Io): void {
  const command = program
    .command('why')
    .summary('say why a sensor has not run a task')
    .description('Says in one sentence whether a sensor has run a task, and if not, why. Ended tasks are included.')
    .argument('<task-id>', 'the task')
    .argument('<sid>', 'the sensor');
  withApiOptions(command).action((taskId: string, sid: string, flags: Flags) => why(taskId, sid, flags, io));
  withExamples(command, io, [
    ['why 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10 web-1', 'one sensor of a task'],
    ["why 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10 web-1 --json | jq -r '.reason'", 'its reason, for programs'],
  ]);
}

async function why(task_id: string, sid: string, flags: Flags, io: Io): Promise<void> {
  const answer = await clientOf(flags, io).request<WhyAnswer>('why', { task_id, sid });
  if (flags.json) {
    io.out(prettyJson(answer));
    return;
  }
  const state = painter(io.colour)(STATE_STYLES[answer.state] ?? 'bold', answer.state);
  io.out(`${state}  ${visible(answer.sentence)}\n`);
}
