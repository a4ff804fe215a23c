/**
 * A batch of `task-commands`: decode -> judge -> apply (one trip) -> produce events and dead letters -> commit.
 *
 * A crash after apply: the batch comes again, Redis answers as the first time, the events go out with the same ids.
 * A crash after the produce: the same once more. An org whose projection was lost meanwhile ends the batch; it is read again.
 */

import type { Batch, DeadLetter, EpochEvent, InRecord, RolePorts } from '../ports.ts';
import { Slices } from '../selector/index.ts';
import { pagesOf } from '../text/chunks.ts';
import { followUp, isNarrow, judge, type Step, toApply } from './project.ts';
import type { Answer, ApplyAnswer, ApplyOutcome, ApplyRequest } from './projection.ts';
import type { Rebuild } from './rebuild.ts';
import { withdraw } from './withdraw.ts';

/** Commands in one script: it must not hold Redis for more than a few milliseconds. */
const COMMANDS_PER_SCRIPT = 200;
/** Scripts in one trip: a rebuild reads thousands of records a batch, and all partitions at once. A trip must end well within
 *  the time in which Redis has to answer, or it is repeated and the load only grows. */
export const SCRIPTS_PER_PIPELINE = 10;

/** Thrown to end a batch that has to be read again: the places have moved. */
export class GenerationOver extends Error {}

export async function applyCommands(
  ports: RolePorts,
  rebuild: Rebuild,
  batch: Batch,
  presencePartitions: number,
): Promise<void> {
  const position = rebuild.positions.position('c', batch.partition);
  if (!position) throw new GenerationOver();
  const { generation } = position;
  const stillMine = () => batch.alive() && rebuild.positions.position('c', batch.partition)?.generation === generation;
  const judged = await judgeBatch(ports, rebuild, batch);
  const oids = new Set(ports.orgs.table.oids());
  // An org that never subscribed has no tasks, so there is nothing that could be withdrawn from it. One that is away is read
  // again when it is back.
  judged.steps = judged.steps.filter(
    ({ command: { oid }, record }) => oids.has(oid) && !rebuild.missed.passOver(oid, record, batch.nextOffset),
  );
  const epochs = new Map<string, string>();
  for (const { command } of judged.steps) {
    const org = rebuild.positions.org(command.oid);
    if (org) epochs.set(command.oid, org.epoch);
    else {
      await rebuild.poll(); // a new org: its records count from its first epoch on
      throw new GenerationOver();
    }
  }
  const events: EpochEvent[] = [];
  const deadLetters: DeadLetter[] = [...judged.refused];
  const wasTold = ({ command, record }: Step) => record.offset < rebuild.effectsOf(command.oid, batch.partition);
  for (const segment of segmentsOf(judged.steps)) {
    if (!stillMine()) throw new GenerationOver();
    const first = segment[0] as Step;
    if (isNarrow(first)) {
      // A replay takes the TASK_REMOVED of each pair instead: sensors may look different today.
      if (wasTold(first)) continue;
      const epoch = epochs.get(first.command.oid) ?? '';
      const { events: removed } = accepted(await withdraw(ports, first, epoch, presencePartitions));
      // Who waits for this offset is told that the pairs are withdrawn: a loss of Redis must not bring them back from then on.
      await ports.outbox.taskEvents(removed);
      const { oid } = first.command;
      const nextOffset = first.record.offset + 1;
      await ports.projection.advance([{ oid, epoch, kind: 'c', partition: batch.partition, nextOffset }]);
      continue;
    }
    for (const { step, outcome, expiresAtMs } of await applySegment(ports, segment, epochs, batch.partition)) {
      if (wasTold(step)) continue;
      const { event, deadLetter } = followUp(step, outcome, expiresAtMs);
      if (event) events.push({ event, epoch: epochs.get(step.command.oid) ?? '' });
      if (deadLetter) deadLetters.push(deadLetter);
    }
  }
  ports.projection.hint([...epochs.keys()]);
  await Promise.all([ports.outbox.taskEvents(events), ports.outbox.deadLetters(deadLetters)]);
  for (const { code, record } of deadLetters) {
    ports.metrics.deadLettered(code);
    rebuild.refusals.add('c', record.partition, record.offset);
  }
  if (!stillMine()) throw new GenerationOver();
  rebuild.positions.advance('c', batch.partition, generation, batch.nextOffset);
  rebuild.missed.caughtUp(batch.partition, batch.nextOffset, (oid) => rebuild.positions.org(oid) !== undefined);
}

async function judgeBatch({ inbox, orgs, config, clock }: RolePorts, rebuild: Rebuild, batch: Batch) {
  const decoded = await inbox.decode('TaskCommand', batch.records);
  const effects = rebuild.effectsFrom.get(`c${batch.partition}`) ?? 0;
  const rules = { orgs: orgs.table, ttlMaxSeconds: config.TTL_MAX_SECONDS, taskMaxBytes: config.TASK_MAX_BYTES };
  const replayed = ({ partition, offset }: InRecord) =>
    offset < effects ? { refused: rebuild.refusals.has('c', partition, offset) } : null;
  const judged = await judgeInSlices();
  if (!judged.refused.some(({ code }) => code === 'org_unknown' || code === 'not_subscribed')) return judged;
  await orgs.refresh();
  return judgeInSlices();

  /** Checking compiles selectors. Other work runs between some of them. */
  async function judgeInSlices(): Promise<ReturnType<typeof judge>> {
    const slices = new Slices(() => clock.delay(0));
    const all: ReturnType<typeof judge> = { steps: [], refused: [] };
    for (const page of pagesOf(decoded, JUDGED_AT_ONCE)) {
      if (slices.isOver) await slices.pause();
      const { steps, refused } = judge(page, rules, replayed);
      all.steps.push(...steps);
      all.refused.push(...refused);
    }
    return all;
  }
}

/** The longest regular expressions take some 20 ms each to compile. */
const JUDGED_AT_ONCE = 10;

/** Runs of steps that one trip can apply; a narrowed UNTASK stands alone, in its place in the order. */
function segmentsOf(steps: Step[]): Step[][] {
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

async function applySegment(
  { projection, recordCodec }: RolePorts,
  segment: Step[],
  epochs: Map<string, string>,
  partition: number,
): Promise<{ step: Step; outcome: ApplyOutcome; expiresAtMs: number | null }[]> {
  const byOrg = Map.groupBy(segment, ({ command }) => command.oid);
  const parts: Step[][] = [];
  const requests: ApplyRequest[] = [];
  for (const [oid, steps] of byOrg) {
    for (let i = 0; i < steps.length; i += COMMANDS_PER_SCRIPT) {
      const part = steps.slice(i, i + COMMANDS_PER_SCRIPT);
      parts.push(part);
      requests.push({
        oid,
        epoch: epochs.get(oid) ?? '',
        partition,
        nextOffset: (part.at(-1) as Step).record.offset + 1,
        commands: part.map((step) => toApply(step, (command) => recordCodec.encode('TaskCommand', command))),
      });
    }
  }
  const answers: ApplyAnswer[] = [];
  for (let i = 0; i < requests.length; i += SCRIPTS_PER_PIPELINE)
    answers.push(...(await projection.apply(requests.slice(i, i + SCRIPTS_PER_PIPELINE))));
  return parts.flatMap((part, i) => {
    const { outcomes, expiriesMs } = accepted(answers[i] as ApplyAnswer);
    return part.map((step, at) => ({
      step,
      outcome: outcomes[at] ?? 'nothing',
      expiresAtMs: expiriesMs[at] ?? null,
    }));
  });
}

/** A refusal means that the epoch is over: the batch is read again under the new one. */
function accepted<T>(answer: Answer<T>): { ok: true } & T {
  if (!answer.ok) throw new GenerationOver(answer.why);
  return answer;
}
