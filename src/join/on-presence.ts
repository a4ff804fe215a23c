/** A batch of `sensor-presence`: decode -> judge -> fold -> write what changed -> rows and claims in one trip -> commit. */
import { persist, retryDelayMs } from '../clock.ts';
import { checkPresence } from '../command/check.ts';
import type { SensorPresence, SensorState } from '../model/records.ts';
import type { OrgTable } from '../orgs/table.ts';
import type { DeadLetter } from '../outbox.ts';
import type { Batch, Decoded } from '../ports.ts';
import type { Rows } from './claims.ts';
import type { Joining } from './joining.ts';
import { type Folded, foldBatch, type PresenceStep } from './presence.ts';
import { restoreRows, type Seat, type Sensor, takeRows, writeRows } from './seat.ts';

/** About two seconds. */
const ROWS_TRIES = 6;

type Judged = { steps: PresenceStep[]; letters: DeadLetter[] };

export function judgePresence(decoded: Decoded<SensorPresence>[], orgs: OrgTable): Judged {
  const judged: Judged = { steps: [], letters: [] };
  for (const item of decoded) {
    const { record } = item;
    const refusal = 'refusal' in item ? item.refusal : checkPresence(record.key?.toString() ?? null, item.value, orgs);
    if (refusal) judged.letters.push({ record, ...refusal });
    else if ('value' in item) judged.steps.push({ offset: record.offset, presence: item.value });
  }
  return judged;
}

export async function onPresence(joiner: Joining, batch: Batch): Promise<boolean> {
  const { ports, seats } = joiner;
  const { clock, inbox, orgs, log, outbox } = ports;
  const from = seats.next(batch.partition);
  const retry = <T>(work: () => Promise<T>) =>
    persist(clock, batch.alive, work, (error) => log.warn({ err: error }, 'a batch of presence is tried again'));
  const judged = await retry(async () => {
    const decoded = await inbox.decode('SensorPresence', batch.records);
    const first = judgePresence(decoded, orgs.table);
    if (!first.letters.some(({ code }) => code === 'org_unknown')) return first;
    await orgs.refresh();
    return judgePresence(decoded, orgs.table);
  });
  // A seat that was taken meanwhile may need older records: then this batch is read again after them.
  if (!judged || !batch.alive() || seats.next(batch.partition) !== from) return false;

  const { states, toMatch, touched, gone, passedOver } = foldBatch(
    seats.in(batch.partition),
    judged.steps,
    clock.nowMs(),
  );
  tellPassedOver(ports, passedOver);
  seats.advance(batch.partition, batch.nextOffset);
  joiner.followers.forget(gone);
  const letters = judged.letters.filter(({ record }) => record.offset >= seats.effectsFrom(batch.partition));
  if (states.length > 0 || letters.length > 0) {
    for (const seat of touched) seat.statesUnderWay += 1;
    await retry(() => Promise.all([outbox.sensorStates(states), outbox.deadLetters(letters)]));
    for (const seat of touched) seat.statesUnderWay -= 1;
    for (const { code } of letters) ports.metrics.deadLettered(code);
  }
  // Given up with records folded but not matched: the seats are taken anew, from what Redis knows of them.
  const giveUp = () => seats.abandon(batch.partition, from ?? 0, touched);
  if (!batch.alive()) return giveUp();

  if (!(await deliverAll(joiner, batch, toMatch, touched))) return giveUp();
  seats.checkLive(batch.partition);
  if (!batch.alive()) return false;
  if (batch.nextOffset > seats.effectsFrom(batch.partition)) await joiner.commit(batch);
  seats.committed(batch.partition, batch.nextOffset);
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
  touched: Set<Seat>,
): Promise<boolean> {
  const { clock, log, store } = joiner.ports;
  const encode = (state: SensorState) => store.encode('SensorState', state);
  let pairs = joiner.match(toMatch);
  let seats = touched;
  for (let attempt = 1; alive(); attempt += 1) {
    const { together, last } = rowsOf(seats, encode);
    const failed = (await joiner.deliver.deliver(pairs, together)).rows;
    seats = await writeLast(joiner, last, failed);
    if (seats.size === 0) return true;
    log.warn({ orgs: seats.size, attempt }, 'rows of sensors could not be written');
    if (attempt >= ROWS_TRIES) {
      for (const seat of seats) joiner.refused(seat, 'away');
      return true;
    }
    pairs = []; // they come again by themselves
    await clock.delay(retryDelayMs(attempt, clock.random()));
  }
  return false;
}

/** Of a seat with several parts, the last waits until the others are written: it carries the offset of all of them. */
function rowsOf(touched: Set<Seat>, encode: (state: SensorState) => Buffer): { together: Rows[]; last: Rows[] } {
  const rows = { together: [] as Rows[], last: [] as Rows[] };
  for (const seat of touched) {
    const parts = takeRows(seat, encode).map((request) => ({ seat, request }));
    if (parts.length > 1) rows.last.push(parts.pop() as Rows);
    rows.together.push(...parts);
  }
  return rows;
}

/** Answers the seats that lack rows: those that failed before, and those of which the last part could not be written. */
async function writeLast(joiner: Joining, last: Rows[], failed: Set<Seat>): Promise<Set<Seat>> {
  const lacking = new Set(failed);
  for (const { seat, request } of last) {
    if (failed.has(seat)) {
      restoreRows(seat, request);
      continue;
    }
    const why = await writeRows(joiner.ports.projection, seat, [request]);
    if (why === 'away') lacking.add(seat);
    else if (why !== null) joiner.refused(seat, why);
  }
  return lacking;
}
