/**
 * A batch of `task-commands`: decode and judge -> apply in Redis -> write events and dead letters -> advance the position.
 *
 * After a crash the batch is read again. Redis gives the same answers as the first time, so the events have the same ids. If the
 * projection of an org is lost meanwhile, the batch ends and is read again under the new epoch.
 */
import { judgeBatch, writeDeadLetters } from '../consumer.ts';
import type { Batch, DeadLetter, EpochEvent, InRecord, RolePorts } from '../ports.ts';
import { chunksOf } from '../text/chunks.ts';
import { partitionKey } from './org-progress.ts';
import { followUp, isNarrow, judgeCommand, type Step, toApply } from './project.ts';
import type { Answer, ApplyAnswer, ApplyOutcome, ApplyRequest } from './projection.ts';
import type { Rebuild } from './rebuild.ts';
import { withdraw } from './withdraw.ts';

/** A script must not hold Redis for more than a few milliseconds. */
const COMMANDS_PER_SCRIPT = 200;
/** A rebuild reads thousands of records a batch, in all partitions at once. A pipeline must end well within the timeout of Redis:
 *  otherwise it is repeated, and the load only grows. */
export const SCRIPTS_PER_PIPELINE = 10;

type CommandPorts = Pick<
  RolePorts,
  'inbox' | 'orgs' | 'projection' | 'outbox' | 'recordCodec' | 'metrics' | 'config' | 'clock'
>;

/** Ends a batch that has to be read again: its generation or an epoch is over. */
export class GenerationOver extends Error {}

export async function applyCommands(
  ports: CommandPorts,
  rebuild: Rebuild,
  batch: Batch,
  presencePartitions: number,
): Promise<void> {
  const { positions, orgs, effects, awayOrgs, refusals } = rebuild;
  const { partition, nextOffset } = batch;
  const key = partitionKey('c', partition);
  const position = positions.at(key);
  if (!position) throw new GenerationOver();
  const checkCurrent = () => {
    if (!batch.alive() || !positions.isCurrent(key, position.generation)) throw new GenerationOver();
  };

  const judged = await judgeBatch(ports, 'TaskCommand', batch.records, judgeOf(ports, rebuild, partition));
  const refused = judged.deadLetters.filter(({ record }) => record.offset >= effects.from('c', partition));
  const steps = stepsToApply(ports, rebuild, judged.accepted, nextOffset);
  const epochs = await epochsOf(rebuild, steps);
  const { events, conflicts } = await applySteps(ports, rebuild, {
    partition,
    steps,
    epochs,
    presencePartitions,
    checkCurrent,
  });
  ports.projection.hint([...epochs.keys()]);

  const deadLetters = [...refused, ...conflicts];
  await Promise.all([ports.outbox.taskEvents(events), writeDeadLetters(ports, deadLetters)]);
  for (const { record } of deadLetters) refusals.add('c', record.partition, record.offset);
  checkCurrent();
  positions.advance(key, position.generation, nextOffset);
  awayOrgs.caughtUp(partition, nextOffset, (oid) => orgs.get(oid) !== undefined);
}

function judgeOf({ orgs, config }: CommandPorts, { effects, refusals }: Rebuild, partition: number) {
  const effectsFrom = effects.from('c', partition);
  const rules = { orgs: orgs.table, ttlMaxSeconds: config.TTL_MAX_SECONDS, taskMaxBytes: config.TASK_MAX_BYTES };
  return judgeCommand(rules, ({ offset }: InRecord) =>
    offset < effectsFrom ? { refused: refusals.has('c', partition, offset) } : null,
  );
}

/** An org that never subscribed has no tasks, so an UNTASK has nothing to withdraw. The commands of an org that is away are read
 *  again when it is back. */
function stepsToApply({ orgs }: CommandPorts, { awayOrgs }: Rebuild, steps: Step[], nextOffset: number): Step[] {
  const oids = new Set(orgs.table.oids());
  return steps.filter(({ command: { oid }, record }) => oids.has(oid) && !awayOrgs.passOver(oid, record, nextOffset));
}

async function epochsOf(rebuild: Rebuild, steps: readonly Step[]): Promise<Map<string, string>> {
  const epochs = new Map<string, string>();
  for (const { command } of steps) {
    const org = rebuild.orgs.get(command.oid);
    if (org) epochs.set(command.oid, org.epoch);
    else {
      await rebuild.poll(); // a new org: its records count from its first epoch on
      throw new GenerationOver();
    }
  }
  return epochs;
}

type Applying = {
  partition: number;
  steps: readonly Step[];
  epochs: ReadonlyMap<string, string>;
  presencePartitions: number;
  checkCurrent(): void;
};

/** Applies the steps in their order. Returns the effects that are not written yet. */
async function applySteps(
  ports: CommandPorts,
  { effects }: Rebuild,
  { partition, steps, epochs, presencePartitions, checkCurrent }: Applying,
): Promise<{ events: EpochEvent[]; conflicts: DeadLetter[] }> {
  const events: EpochEvent[] = [];
  const conflicts: DeadLetter[] = [];
  const isWritten = ({ command, record }: Step) => record.offset < effects.fromOf(command.oid, partition);
  for (const segment of segmentsOf(steps)) {
    checkCurrent();
    const first = segment[0] as Step;
    if (isNarrow(first)) {
      // A replay applies the TASK_REMOVED of each delivery instead: other sensors can match today.
      if (!isWritten(first)) await withdrawNow(ports, first, epochs.get(first.command.oid) ?? '', presencePartitions);
      continue;
    }
    for (const { step, outcome, expiresAtMs } of await applySegment(ports, segment, epochs, partition)) {
      if (isWritten(step)) continue;
      const { event, deadLetter } = followUp(step, outcome, expiresAtMs);
      if (event) events.push({ event, epoch: epochs.get(step.command.oid) ?? '' });
      if (deadLetter) conflicts.push(deadLetter);
    }
  }
  return { events, conflicts };
}

/** Runs of steps that one pipeline can apply. A narrow UNTASK stands alone, at its place in the order. */
function segmentsOf(steps: readonly Step[]): Step[][] {
  const segments: Step[][] = [];
  let open: Step[] | null = null;
  for (const step of steps) {
    if (isNarrow(step)) {
      segments.push([step]);
      open = null;
    } else if (open === null) {
      open = [step];
      segments.push(open);
    } else open.push(step);
  }
  return segments;
}

/** The API answers an UNTASK when the offset in Redis has passed it. So the events are on the log before: a loss of Redis cannot
 *  bring the deliveries back. */
async function withdrawNow(ports: CommandPorts, step: Step, epoch: string, presencePartitions: number): Promise<void> {
  const { command, record } = step;
  const { events } = accepted(await withdraw(ports, step, epoch, presencePartitions));
  await ports.outbox.taskEvents(events);
  const { partition, offset } = record;
  await ports.projection.advance([{ oid: command.oid, epoch, kind: 'c', partition, nextOffset: offset + 1 }]);
}

type Applied = { step: Step; outcome: ApplyOutcome; expiresAtMs: number | null };

async function applySegment(
  { projection, recordCodec }: CommandPorts,
  segment: readonly Step[],
  epochs: ReadonlyMap<string, string>,
  partition: number,
): Promise<Applied[]> {
  const scripts: { steps: Step[]; request: ApplyRequest }[] = [];
  for (const [oid, ofOrg] of Map.groupBy(segment, ({ command }) => command.oid)) {
    for (const steps of chunksOf(ofOrg, COMMANDS_PER_SCRIPT)) {
      const nextOffset = (steps.at(-1) as Step).record.offset + 1;
      const commands = steps.map((step) => toApply(step, (command) => recordCodec.encode('TaskCommand', command)));
      scripts.push({ steps, request: { oid, epoch: epochs.get(oid) ?? '', partition, nextOffset, commands } });
    }
  }
  const applied: Applied[] = [];
  const answers: ApplyAnswer[] = [];
  for (const pipeline of chunksOf(scripts, SCRIPTS_PER_PIPELINE))
    answers.push(...(await projection.apply(pipeline.map(({ request }) => request))));
  for (const [i, { steps }] of scripts.entries()) {
    const { outcomes, expiriesMs } = accepted(answers[i] as ApplyAnswer);
    for (const [at, step] of steps.entries())
      applied.push({ step, outcome: outcomes[at] ?? 'nothing', expiresAtMs: expiriesMs[at] ?? null });
  }
  return applied;
}

/** A refusal means that the epoch is over: the batch is read again under the new one. */
function accepted<T>(answer: Answer<T>): { ok: true } & T {
  if (!answer.ok) throw new GenerationOver(answer.why);
  return answer;
}
