/**
 * What all consumers share: decode -> judge -> perform -> commit.
 *
 * `judge` of a consumer is pure: it decides about one record. The rest is here: decoding, a second look at the orgs before a
 * record is refused for its org, dead letters, retries, and the time that a batch takes. Effects come first and the commit last,
 * so a crash repeats a batch and loses nothing.
 */
import { persist } from './async/clock.ts';
import type { RecordName, RecordTypes } from './model/records.ts';
import type { OrgTable } from './orgs/table.ts';
import type { Batch, DeadLetter, Decoded, InRecord, Refusal, RolePorts } from './ports.ts';
import { Slices } from './selector/slices.ts';

/** null: the record does not concern this consumer. */
export type Verdict<T> = { accepted: T } | { refusal: Refusal } | null;
export type Judge<V, T> = (record: InRecord, value: V, orgs: OrgTable) => Verdict<T>;

/** Both in the order of the records. */
export type Judged<T> = { accepted: T[]; deadLetters: DeadLetter[] };

export const recordKeyOf = ({ key }: Pick<InRecord, 'key'>): string | null => key?.toString() ?? null;

export const verdictOf = <T>(refusal: Refusal | null, accepted: T): Verdict<T> =>
  refusal === null ? { accepted } : { refusal };

/** Judges decoded records by the orgs as they are known now. Pure if `judge` is. */
export const judgeAll = <V, T>(decoded: readonly Decoded<V>[], orgs: OrgTable, judge: Judge<V, T>): Judged<T> =>
  sorted(
    decoded,
    decoded.map((item) => judgeOne(item, orgs, judge)),
  );

/** Decodes and judges the records of a batch. The orgs of this process can be older than a record. So they are read to the end
 *  of their topic before a record is refused because of its org. Rejects if the schema registry or Kafka does not answer. */
export async function judgeBatch<N extends RecordName, T>(
  { inbox, orgs, clock }: Pick<RolePorts, 'inbox' | 'orgs' | 'clock'>,
  name: N,
  records: InRecord[],
  judge: Judge<RecordTypes[N], T>,
): Promise<Judged<T>> {
  const decoded = await inbox.decode(name, records);
  const slices = new Slices(() => clock.delay(0));
  const verdicts: Verdict<T>[] = [];
  for (const item of decoded) {
    if (slices.isOver) await slices.pause(); // a judge can compile selectors
    verdicts.push(judgeOne(item, orgs.table, judge));
  }
  if (!verdicts.some(isForItsOrg)) return sorted(decoded, verdicts);
  await orgs.refresh();
  for (const [i, item] of decoded.entries()) {
    if (slices.isOver) await slices.pause();
    if (isForItsOrg(verdicts[i] as Verdict<T>)) verdicts[i] = judgeOne(item, orgs.table, judge);
  }
  return sorted(decoded, verdicts);
}

function judgeOne<V, T>(item: Decoded<V>, orgs: OrgTable, judge: Judge<V, T>): Verdict<T> {
  return 'refusal' in item ? { refusal: item.refusal } : judge(item.record, item.value, orgs);
}

const isForItsOrg = (verdict: Verdict<unknown>): boolean =>
  verdict !== null &&
  'refusal' in verdict &&
  (verdict.refusal.code === 'org_unknown' || verdict.refusal.code === 'not_subscribed');

function sorted<T>(decoded: readonly Decoded<unknown>[], verdicts: readonly Verdict<T>[]): Judged<T> {
  const judged: Judged<T> = { accepted: [], deadLetters: [] };
  for (const [i, verdict] of verdicts.entries()) {
    if (verdict === null) continue;
    if ('accepted' in verdict) judged.accepted.push(verdict.accepted);
    else judged.deadLetters.push({ record: (decoded[i] as Decoded<unknown>).record, ...verdict.refusal });
  }
  return judged;
}

/** Writes the dead letters, and counts them when they are on the topic. */
export async function writeDeadLetters(
  { outbox, metrics }: Pick<RolePorts, 'outbox' | 'metrics'>,
  deadLetters: DeadLetter[],
): Promise<void> {
  if (deadLetters.length === 0) return;
  await outbox.deadLetters(deadLetters);
  for (const { code } of deadLetters) metrics.deadLettered(code);
}

export type BatchSteps = {
  /** All effects of the batch; tried again until it does not reject, so it must be repeatable. False: the batch is left, and the
   *  partition is read again from the wanted offset. */
  perform(): Promise<boolean>;
  commit(): Promise<void>;
};

/** Performs a batch, commits it, and measures the time as `stage`. False: the batch was left, or its partition was lost. */
export async function consume(
  { clock, log, metrics }: Pick<RolePorts, 'clock' | 'log' | 'metrics'>,
  stage: string,
  { topic, partition, alive }: Batch,
  { perform, commit }: BatchSteps,
): Promise<boolean> {
  const startedMono = clock.monoMs();
  const isDone = await persist(clock, alive, perform, (err) =>
    log.warn({ err, stage, topic, partition }, 'batch failed; retrying'),
  );
  if (!isDone || !alive()) return false;
  await commit();
  metrics.batchLatency(stage, clock.monoMs() - startedMono);
  return true;
}
