/** A log that is read again, in overlapping pieces, gives the same state and the same answers as one read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AckedEvent, ApplyCommand, ApplyOutcome } from '../../src/projector/projection.ts';
import { type Bench, FAR_MS, Org, PATIENT } from './projection-bench.ts';

// A failure prints its seed. FC_SEED repeats it.
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

const taskIds = fc.constantFrom('a', 'b', 'c');
/** Times relative to that of the org: past the retention, past, and in the future. */
const untils = fc.constantFrom(-PATIENT.retentionMs - 1_000, -5_000, FAR_MS);

type Step =
  | { op: 'task'; taskId: string; content: string; untilMs: number }
  | { op: 'untask'; taskId: string; agoMs: number }
  | { op: 'narrow'; taskId: string; sids: string[] };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ op: fc.constant('task' as const), taskId: taskIds, content: fc.constantFrom('x', 'y'), untilMs: untils }),
  fc.record({ op: fc.constant('untask' as const), taskId: taskIds, agoMs: fc.constantFrom(0, 6_000) }),
  fc.record({
    op: fc.constant('narrow' as const),
    taskId: taskIds,
    sids: fc.subarray(['s1', 's2', 's3'], { minLength: 1 }),
  }),
);

/** Pieces of a log of `length` records, as [from, to). Each begins at or before the end of the pieces before it; the last one
 *  reaches the end. */
const readings = (length: number): fc.Arbitrary<[number, number][]> =>
  fc.array(fc.tuple(fc.nat(length), fc.nat(length)), { maxLength: 6 }).map((wishes) => {
    let read = 0;
    const pieces: [number, number][] = [];
    for (const [back, ahead] of [...wishes, [length, length] as const]) {
      const from = Math.max(0, read - back);
      const to = Math.min(length, Math.max(from, read) + ahead);
      pieces.push([from, to]);
      read = Math.max(read, to);
    }
    return pieces;
  });

const logs = fc
  .array(steps, { minLength: 1, maxLength: 12 })
  .chain((log) => fc.tuple(fc.constant(log), readings(log.length)));

const toCommand = (org: Org, step: Step & { op: 'task' | 'untask' }, offset: number): ApplyCommand =>
  step.op === 'task'
    ? org.task(offset, step.taskId, { content: step.content, expiresAtMs: org.nowMs + step.untilMs })
    : org.untask(offset, step.taskId, org.nowMs - step.agoMs);

/** Applies a piece. Returns the answer to each record, by offset. */
async function read(org: Org, log: Step[], from: number, to: number): Promise<Map<number, ApplyOutcome | string[]>> {
  const answers = new Map<number, ApplyOutcome | string[]>();
  for (let offset = from; offset < to; offset += 1) {
    const step = log[offset]!;
    if (step.op === 'narrow') answers.set(offset, (await org.narrow(offset, step.taskId, step.sids)).toSorted());
    else answers.set(offset, (await org.apply(toCommand(org, step, offset)))[0]!);
  }
  return answers;
}

/** Everything that can be read of an org's tasks. */
async function stateOf(org: Org) {
  const { projection, oid } = org;
  const ids = ['a', 'b', 'c'];
  const [status] = await projection.status([oid]);
  return {
    pending: (await projection.pendingIds(oid, 100, null)).ids,
    ended: (await projection.endedIds(oid, 100, null)).ids,
    tasks: (await projection.readTasks(oid, ids)).map((task) => task && { ...task, command: task.command.task }),
    deliveries: await Promise.all(ids.map(async (id) => [...(await projection.readDeliveries(oid, id))].toSorted())),
    offsets: [status!.commandOffsets, status!.eventOffsets],
    left: (await org.bench.left(oid)).map((name) => name.replaceAll(oid, 'OID')).toSorted(),
  };
}

export function replayContract(bench: () => Bench): void {
  /** Two orgs with the same times, so that their states can be compared. */
  const twoOrgs = async (): Promise<[Org, Org]> => {
    const projection = await bench().projection(PATIENT);
    const [one, other] = [new Org(bench(), projection), new Org(bench(), projection)];
    await one.use();
    await other.use();
    other.nowMs = one.nowMs;
    return [one, other];
  };

  describe(`a log that is read again (seed ${seed})`, () => {
    it('gives the same state and the same answers, wherever the reads stop and continue', async () => {
      await fc.assert(
        fc.asyncProperty(logs, async ([log, pieces]) => {
          const [once, again] = await twoOrgs();
          const first = await read(once, log, 0, log.length);
          for (const [from, to] of pieces)
            for (const [offset, answer] of await read(again, log, from, to))
              expect([offset, answer]).toEqual([offset, first.get(offset)]);
          expect(await stateOf(again)).toEqual(await stateOf(once));
        }),
        { seed, numRuns: 150 },
      );
    });

    const events: fc.Arbitrary<AckedEvent> = fc.record({
      type: fc.constantFrom('sent', 'done', 'failed', 'removed'),
      taskId: taskIds,
      sid: fc.constantFrom('s1', 's2'),
      attempt: fc.integer({ min: 1, max: 4 }),
      atMs: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_009 }),
      expiresAtMs: fc.constant(0),
      extra: fc.constantFrom('0', 'tag1'),
    });
    const eventLogs = fc
      .array(events, { minLength: 1, maxLength: 12 })
      .chain((log) => fc.tuple(fc.constant(log), readings(log.length), fc.nat(log.length)));

    it('gives the same deliveries, read in pieces, with their task before, between or after them', async () => {
      await fc.assert(
        fc.asyncProperty(eventLogs, async ([log, pieces, at]) => {
          const [once, again] = await twoOrgs();
          const expiresAtMs = once.nowMs + FAR_MS;
          const own = log.map((event) => ({ ...event, expiresAtMs }));
          const tasks = ['a', 'b', 'c'].map((id, offset) => once.task(offset, id, { expiresAtMs }));
          const theirs = ['a', 'b', 'c'].map((id, offset) => again.task(offset, id, { expiresAtMs }));
          await once.apply(...tasks);
          await once.events(...own);
          let seen = 0;
          for (const [from, to] of pieces) {
            if (to > from) await again.events(...own.slice(from, to));
            seen = Math.max(seen, to);
            if (seen >= at) await again.apply(...theirs);
          }
          await again.apply(...theirs);
          expect(await stateOf(again)).toEqual(await stateOf(once));
        }),
        { seed, numRuns: 150 },
      );
    });
  });
}
