/** A batch of `sensor-presence`: decode -> judge -> fold -> write what changed -> rows and claims in one trip -> commit. */
import { persist } from '../clock.ts';
import { checkPresence } from '../command/check.ts';
import type { SensorPresence, SensorState } from '../model/records.ts';
import type { OrgTable } from '../orgs/table.ts';
import type { DeadLetter } from '../outbox.ts';
import type { Batch, Decoded } from '../ports.ts';
import type { SensorRows } from '../projection/store.ts';
import type { Joiner } from './joiner.ts';
import { foldBatch, type PresenceStep } from './presence.ts';
import { type Seat, takeRows } from './seat.ts';

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

export async function onPresence(joiner: Joiner, batch: Batch): Promise<boolean> {
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

  const { states, toMatch, touched } = foldBatch(seats.in(batch.partition), judged.steps, clock.nowMs());
  seats.advance(batch.partition, batch.nextOffset);
  const letters = judged.letters.filter(({ record }) => record.offset >= seats.effectsFrom(batch.partition));
  if (states.length > 0 || letters.length > 0) {
    await retry(() => Promise.all([outbox.sensorStates(states), outbox.deadLetters(letters)]));
    for (const { code } of letters) ports.metrics.deadLettered(code);
  }
  // Given up with records folded but not matched: the seats are taken anew, from what Redis knows of them.
  const giveUp = () => seats.abandon(batch.partition, from ?? 0, touched);
  if (!batch.alive()) return giveUp();

  let rows = rowsOf(touched, (state) => ports.store.encode('SensorState', state));
  const written = await retry(async () => {
    // The next try sends the same rows again, and pairs only once: they come again by their timers.
    const pairs = joiner.match(toMatch);
    toMatch.clear();
    await joiner.deliver.deliver(pairs, rows);
    rows = [];
    return true;
  });
  if (!written) return giveUp();
  seats.checkLive(batch.partition);
  if (!batch.alive()) return false;
  if (batch.nextOffset > seats.effectsFrom(batch.partition)) await joiner.commit(batch);
  seats.committed(batch.partition, batch.nextOffset);
  return true;
}

function rowsOf(touched: Set<Seat>, encode: (state: SensorState) => Buffer): { seat: Seat; request: SensorRows }[] {
  return [...touched].flatMap((seat) => takeRows(seat, encode).map((request) => ({ seat, request })));
}
