/** A batch of `sensor-presence`: decode -> judge -> fold -> write what changed -> rows and claims in one trip -> commit. */
import { persist, retryDelayMs } from '../async/clock.ts';
import { checkPresence } from '../command/check.ts';
import type { SensorPresence, SensorState } from '../model/records.ts';
import type { OrgTable } from '../orgs/table.ts';
import type { Batch, DeadLetter, Decoded } from '../ports.ts';
import type { Rows } from './delivery/claim.ts';
import type { Joining } from './joining.ts';
import { type OrgPartition, restoreRows, type Sensor, takeRows, writeRows } from './org-partition.ts';
import { type Folded, foldBatch, type PresenceStep } from './presence-fold.ts';

/** About two seconds. */
const ROWS_TRIES = 6;

type Judged = { steps: PresenceStep[]; deadLetters: DeadLetter[] };

export function judgePresence(decoded: Decoded<SensorPresence>[], orgs: OrgTable): Judged {
  const judged: Judged = { steps: [], deadLetters: [] };
  for (const item of decoded) {
    const { record } = item;
    const refusal = 'refusal' in item ? item.refusal : checkPresence(record.key?.toString() ?? null, item.value, orgs);
    if (refusal) judged.deadLetters.push({ record, ...refusal });
    else if ('value' in item) judged.steps.push({ offset: record.offset, presence: item.value });
  }
  return judged;
}

export async function onPresence(joiner: Joining, batch: Batch): Promise<boolean> {
  const { ports, ownership } = joiner;
  const { clock, inbox, orgs, log, outbox } = ports;
  const from = ownership.next(batch.partition);
  const retry = <T>(work: () => Promise<T>) =>
    persist(clock, batch.alive, work, (error) => log.warn({ err: error }, 'a batch of presence is tried again'));
  const judged = await retry(async () => {
    const decoded = await inbox.decode('SensorPresence', batch.records);
    const first = judgePresence(decoded, orgs.table);
    if (!first.deadLetters.some(({ code }) => code === 'org_unknown')) return first;
    await orgs.refresh();
    return judgePresence(decoded, orgs.table);
  });
  // A seat that was taken meanwhile may need older records: then this batch is read again after them.
  if (!judged || !batch.alive() || ownership.next(batch.partition) !== from) return false;

  const { states, toMatch, touched, gone, passedOver } = foldBatch(
    ownership.in(batch.partition),
    judged.steps,
    clock.nowMs(),
  );
  tellPassedOver(ports, passedOver);
  ownership.advance(batch.partition, batch.nextOffset);
  joiner.followers.forget(gone);
  const deadLetters = judged.deadLetters.filter(
    ({ record }) => record.offset >= ownership.effectsFrom(batch.partition),
  );
  if (states.length > 0 || deadLetters.length > 0) {
    for (const orgPartition of touched) orgPartition.statesUnderWay += 1;
    await retry(() => Promise.all([outbox.sensorStates(states), outbox.deadLetters(deadLetters)]));
    for (const orgPartition of touched) orgPartition.statesUnderWay -= 1;
    for (const { code } of deadLetters) ports.metrics.deadLettered(code);
  }
  // Given up with records folded but not matched: the seats are taken anew, from what Redis knows of them.
  const giveUp = () => ownership.abandon(batch.partition, from ?? 0, touched);
  if (!batch.alive()) return giveUp();

  if (!(await deliverAll(joiner, batch, toMatch, touched))) return giveUp();
  ownership.checkLive(batch.partition);
  if (!batch.alive()) return false;
  if (batch.nextOffset > ownership.effectsFrom(batch.partition)) await joiner.commit(batch);
  ownership.committed(batch.partition, batch.nextOffset);
  return true;
}

function tellPassedOver({ log, metrics }: Joining['ports'], passedOver: Folded['passedOver']): void {
  const [first] = passedOver;
  if (first === undefined) return;
  metrics.tagsPassedOver(passedOver.reduce((sum, { tags }) => sum + tags, 0));
  log.warn({ ...first, records: passedOver.length }, 'a sensor has no room for further tags: they were passed over');
}

/** Rows that were not taken are tried again a few times. Then the seats that lack them are given up and taken anew, with all
 *  that Redis has not got yet: an org whose shard is away must not hold the others. False: the batch is not ours any more. */
async function deliverAll(
  joiner: Joining,
  { alive }: Batch,
  toMatch: Set<Sensor>,
  touched: Set<OrgPartition>,
): Promise<boolean> {
  const { clock, log, recordCodec } = joiner.ports;
  const encode = (state: SensorState) => recordCodec.encode('SensorState', state);
  let deliveries = joiner.match(toMatch);
  let left = touched;
  for (let attempt = 1; alive(); attempt += 1) {
    const { together, last } = rowsOf(left, encode);
    const failed = (await joiner.deliver.deliver(deliveries, together)).rows;
    left = await writeLast(joiner, last, failed);
    if (left.size === 0) return true;
    log.warn({ orgs: left.size, attempt }, 'rows of sensors could not be written');
    if (attempt >= ROWS_TRIES) {
      for (const orgPartition of left) joiner.refused(orgPartition, 'away');
      return true;
    }
    deliveries = []; // they come again by themselves
    await clock.delay(retryDelayMs(attempt, clock.random()));
  }
  return false;
}

/** Of a seat with several parts, the last waits until the others are written: it carries the offset of all of them. */
function rowsOf(
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

/** Answers the seats that lack rows: those that failed before, and those of which the last part could not be written. */
async function writeLast(joiner: Joining, last: Rows[], failed: Set<OrgPartition>): Promise<Set<OrgPartition>> {
  const lacking = new Set(failed);
  for (const { orgPartition, request } of last) {
    if (failed.has(orgPartition)) {
      restoreRows(orgPartition, request);
      continue;
    }
    const why = await writeRows(joiner.ports.projection, orgPartition, [request]);
    if (why === 'away') lacking.add(orgPartition);
    else if (why !== null) joiner.refused(orgPartition, why);
  }
  return lacking;
}
