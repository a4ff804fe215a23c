/**
 * Handles a batch of `sensor-presence`: decode → judge → fold → write states → write rows and deliver → commit.
 *
 * The states are on `sensor-state` before Redis has the rows, and both before the offset is committed, so a crash repeats records
 * and loses none. A batch that is given up after the fold releases the org partitions that it touched: they are taken over
 * again, with everything that Redis does not have yet.
 */
import { persist, retryDelayMs } from '../async/clock.ts';
import { checkPresence } from '../command/check.ts';
import { type Judge, judgeBatch, recordKeyOf, verdictOf, writeDeadLetters } from '../consumer.ts';
import type { SensorPresence, SensorState } from '../model/records.ts';
import type { Batch, RolePorts } from '../ports.ts';
import type { Why } from '../projector/projection.ts';
import type { Deliver } from './delivery/deliver.ts';
import type { OrgPartition, Sensor } from './org-partition.ts';
import type { Due } from './org-tasks.ts';
import type { Ownership } from './ownership.ts';
import { type Folded, foldBatch, type PresenceStep } from './presence-fold.ts';
import { type Rows, restoreRows, takeRows, writeRows } from './rows.ts';

/** About two seconds. */
const ROWS_TRIES = 6;

export type PresenceOptions = {
  ports: Pick<RolePorts, 'clock' | 'inbox' | 'orgs' | 'log' | 'outbox' | 'metrics' | 'recordCodec' | 'projection'>;
  ownership: Pick<Ownership, 'next' | 'in' | 'advance' | 'effectsFrom' | 'abandon' | 'checkLive' | 'committed'>;
  /** The deliveries of these sensors, within the work budget of a batch. */
  match(sensors: Iterable<Sensor>): Due[];
  deliver: Deliver['deliver'];
  /** These sensors are no longer held. */
  forget(sensors: Iterable<Sensor>): void;
  /** Redis refused the org partition. */
  refused(orgPartition: OrgPartition, why: Why): void;
  commit(batch: Batch): Promise<void>;
};

export const judgePresence: Judge<SensorPresence, PresenceStep> = (record, presence, orgs) =>
  verdictOf(checkPresence(recordKeyOf(record), presence, orgs), { offset: record.offset, presence });

export async function onPresence(options: PresenceOptions, batch: Batch): Promise<boolean> {
  const { ports, ownership } = options;
  const { clock, log, outbox } = ports;
  const { partition } = batch;
  const from = ownership.next(partition);
  const retry = <T>(work: () => Promise<T>) =>
    persist(clock, batch.alive, work, (error) =>
      log.warn({ err: error, partition }, 'presence batch failed; retrying'),
    );
  const judged = await retry(() => judgeBatch(ports, 'SensorPresence', batch.records, judgePresence));
  // An org partition that was taken over meanwhile may need older records: then they are read first, and this batch again.
  if (!judged || !batch.alive() || ownership.next(partition) !== from) return false;

  const folded = foldBatch(ownership.in(partition), judged.accepted, clock.nowMs());
  const { states, toMatch, touched } = folded;
  reportIgnoredTags(ports, folded);
  ownership.advance(partition, batch.nextOffset);
  options.forget(folded.forgotten);
  const deadLetters = judged.deadLetters.filter(({ record }) => record.offset >= ownership.effectsFrom(partition));
  if (states.length > 0 || deadLetters.length > 0) {
    for (const orgPartition of touched) orgPartition.statesUnderWay += 1;
    await retry(async () => {
      await outbox.sensorStates(states);
      await writeDeadLetters(ports, deadLetters);
    });
    for (const orgPartition of touched) orgPartition.statesUnderWay -= 1;
  }
  const giveUp = () => ownership.abandon(partition, from ?? 0, touched);
  if (!batch.alive()) return giveUp();

  if (!(await deliverAll(options, batch, toMatch, touched))) return giveUp();
  ownership.checkLive(partition);
  if (!batch.alive()) return false;
  if (batch.nextOffset > ownership.effectsFrom(partition)) await options.commit(batch);
  ownership.committed(partition, batch.nextOffset);
  return true;
}

function reportIgnoredTags({ log, metrics }: PresenceOptions['ports'], { ignoredTags }: Folded): void {
  const [first] = ignoredTags;
  if (first === undefined) return;
  metrics.tagsPassedOver(ignoredTags.reduce((sum, { tags }) => sum + tags, 0));
  log.warn({ ...first, records: ignoredTags.length }, 'tags ignored: the sensor has reached its limit of tags');
}

/** Writes rows and sends deliveries. Rows that Redis does not take are written again a few times. Then their org partitions are
 *  released and taken over again, so that an org whose shard is away does not block the others. False: this process has lost
 *  the partition. */
async function deliverAll(
  options: PresenceOptions,
  { alive }: Batch,
  toMatch: Set<Sensor>,
  touched: Set<OrgPartition>,
): Promise<boolean> {
  const { clock, log, recordCodec } = options.ports;
  const encode = (state: SensorState) => recordCodec.encode('SensorState', state);
  let deliveries = options.match(toMatch);
  let left = touched;
  for (let attempt = 1; alive(); attempt += 1) {
    const { together, last } = takeParts(left, encode);
    const failed = (await options.deliver(deliveries, together)).rows;
    left = await writeLast(options, last, failed);
    if (left.size === 0) return true;
    if (attempt >= ROWS_TRIES) {
      log.warn({ orgs: left.size, tries: attempt }, 'sensor rows not written, Redis is away: taking over again');
      for (const orgPartition of left) options.refused(orgPartition, 'away');
      return true;
    }
    log.warn({ orgs: left.size, tries: attempt }, 'sensor rows not written, Redis is away: retrying');
    deliveries = []; // the ones before become due again by themselves
    await clock.delay(retryDelayMs(attempt, clock.random()));
  }
  return false;
}

/** The last of several parts is written after the others, because it holds the offset of all of them. */
function takeParts(
  touched: Set<OrgPartition>,
  encode: (state: SensorState) => Buffer,
): { together: Rows[]; last: Rows[] } {
  const rows = { together: [] as Rows[], last: [] as Rows[] };
  for (const orgPartition of touched) {
    const parts = takeRows(orgPartition, encode).map((request) => ({ orgPartition, request }));
    if (parts.length > 1) rows.last.push(parts.pop() as Rows);
    rows.together.push(...parts);
  }
  return rows;
}

/** Returns the org partitions without complete rows: those that failed before, and those whose last part failed. */
async function writeLast(
  { ports, refused }: PresenceOptions,
  last: Rows[],
  failed: Set<OrgPartition>,
): Promise<Set<OrgPartition>> {
  const incomplete = new Set(failed);
  for (const { orgPartition, request } of last) {
    if (failed.has(orgPartition)) {
      restoreRows(orgPartition, request);
      continue;
    }
    const why = await writeRows(ports.projection, orgPartition, [request]);
    if (why === 'away') incomplete.add(orgPartition);
    else if (why !== null) refused(orgPartition, why);
  }
  return incomplete;
}
