/**
 * A batch of sensor events: receipt -> ack in Redis -> wait for claims in flight -> TASK_DONE or TASK_FAILURE -> commit.
 *
 * The ack comes first, so that no further claim of the pair passes; then the claims that had already passed are waited for,
 * because a dispatch must not follow the TASK_DONE of its pair; then the event is written from the word that Redis keeps, so
 * that repeats carry the same event_id. After two leases Redis may be another one, and is asked again.
 */
import { checkSensorEvent, type JsonObject } from '../command/check.ts';
import { eventId } from '../model/ids.ts';
import type { SensorEvent, TaskEvent } from '../model/records.ts';
import { isDeliveryNotice, taskNamedBy } from '../model/task.ts';
import type { OrgTable } from '../orgs/table.ts';
import type { DeadLetter, Decoded, EpochEvent, RolePorts } from '../ports.ts';
import type { AckWord, InFlight, Why } from '../projector/projection.ts';
import type { OrgPartition } from './org-partition.ts';

const ACKS_PER_SCRIPT = 200;
const WAIT_POLL_MS = 10;

export type Receipt = {
  oid: string;
  sid: string;
  taskId: string;
  offset: number;
  state: 'done' | 'failed';
  code: string;
  message: string;
};
export type Sorted = {
  receipts: Receipt[];
  /** The sensor has got the dispatch; that is no receipt. */
  delivered: { oid: string; sid: string; taskId: string; occurredAtMs: number }[];
  deadLetters: DeadLetter[];
};

/** Pure: which events settle a task, which only confirm a delivery, which can't be read. Events of no task are left alone. */
export function sortEvents(decoded: Decoded<SensorEvent>[], orgs: OrgTable): Sorted {
  const sorted: Sorted = { receipts: [], delivered: [], deadLetters: [] };
  for (const item of decoded) {
    const { record } = item;
    if ('refusal' in item) {
      sorted.deadLetters.push({ record, ...item.refusal });
      continue;
    }
    const checked = checkSensorEvent(record.key?.toString() ?? null, item.value, orgs);
    if (checked.refusal) {
      sorted.deadLetters.push({ record, ...checked.refusal });
      continue;
    }
    const { oid, sid, occurred_at } = item.value;
    const taskId = taskNamedBy(item.value, checked.routing);
    if (taskId === null) continue;
    if (isDeliveryNotice(item.value)) sorted.delivered.push({ oid, sid, taskId, occurredAtMs: occurred_at });
    else sorted.receipts.push({ oid, sid, taskId, offset: record.offset, ...verdictOf(checked.event) });
  }
  return sorted;
}

/** ERROR absent, 0 or 200 is success. */
function verdictOf(event: JsonObject): { state: 'done' | 'failed'; code: string; message: string } {
  const { ERROR } = event;
  // Anything may stand there; only words and numbers can be compared.
  const error = typeof ERROR === 'object' && ERROR !== null ? JSON.stringify(ERROR) : ERROR;
  const ok = error === undefined || error === null || Number(error) === 0 || Number(error) === 200;
  if (ok) return { state: 'done', code: '0', message: '' };
  const code = String(error).replace(/\s+/g, '_').slice(0, 64) || 'unknown';
  return {
    state: 'failed',
    code,
    message: typeof event.ERROR_MESSAGE === 'string' ? event.ERROR_MESSAGE.slice(0, 1_000) : '',
  };
}

export type Acked = { receipt: Receipt; orgPartition: OrgPartition; epoch: string; word: AckWord };

/** Settles receipts in Redis. `refused`: of these seats the receipts were not settled, and have to come again. */
export async function ackAll(
  { projection }: RolePorts,
  orgPartitions: Map<string, OrgPartition>,
  receipts: Receipt[],
): Promise<{
  acked: Acked[];
  redelivery: { orgPartition: OrgPartition; epoch: string; nowMs: number; entries: InFlight[] }[];
  refused: { orgPartition: OrgPartition; fencingToken: string; why: Why }[];
}> {
  const parts: { orgPartition: OrgPartition; epoch: string; fencingToken: string; receipts: Receipt[] }[] = [];
  for (const [oid, all] of Map.groupBy(receipts, (receipt) => receipt.oid)) {
    const orgPartition = orgPartitions.get(oid);
    if (!orgPartition) continue;
    const { epoch, fencingToken } = orgPartition;
    for (let i = 0; i < all.length; i += ACKS_PER_SCRIPT)
      parts.push({
        orgPartition,
        epoch,
        fencingToken: fencingToken ?? '',
        receipts: all.slice(i, i + ACKS_PER_SCRIPT),
      });
  }
  const answers = await projection.ack(
    parts.map(({ orgPartition, epoch, fencingToken, receipts: acks }) => ({
      oid: orgPartition.oid,
      epoch,
      partition: orgPartition.partition,
      fencingToken,
      acks: acks.map(({ taskId, sid, state, code }) => ({ taskId, sid, state, code })),
    })),
  );
  const acked: Acked[] = [];
  const redelivery = [];
  const refused = [];
  for (const [i, { orgPartition, epoch, fencingToken, receipts: part }] of parts.entries()) {
    const answer = answers[i] as (typeof answers)[number];
    if (!answer.ok) {
      refused.push({ orgPartition, fencingToken, why: answer.why });
      continue;
    }
    for (const [at, receipt] of part.entries())
      acked.push({ receipt, orgPartition, epoch, word: answer.words[at] as AckWord });
    if (answer.waitFor.length > 0)
      redelivery.push({ orgPartition, epoch, nowMs: answer.nowMs, entries: answer.waitFor });
  }
  return { acked, redelivery, refused };
}

/** Until each batch is gone in the same usable epoch, or its lease is over. A refusal says nothing: the lease is waited out. */
export async function waitForClaimBatches(
  { projection, clock }: Pick<RolePorts, 'projection' | 'clock'>,
  oid: string,
  epoch: string,
  nowMs: number,
  entries: InFlight[],
): Promise<void> {
  const startedMono = clock.monoMs();
  let open = entries;
  for (;;) {
    const elapsed = clock.monoMs() - startedMono;
    open = open.filter(({ untilMs }) => untilMs > nowMs + elapsed);
    if (open.length === 0) return;
    const answer = await projection.inFlight(oid, epoch).catch(() => null);
    if (answer?.ok) {
      const running = new Set(answer.entries.map(({ batch }) => batch));
      open = open.filter(({ batch }) => running.has(batch));
      if (open.length === 0) return;
    }
    await clock.delay(WAIT_POLL_MS);
  }
}

/** The event for a settled pair, from the word that Redis keeps: it is the same whoever writes it. */
export function settledEvent({ receipt, epoch, word }: Acked): EpochEvent | null {
  if (word.word === 'gone') return null;
  const { oid, sid, taskId } = receipt;
  const type: TaskEvent['type'] = word.state === 'done' ? 'TASK_DONE' : 'TASK_FAILURE';
  const failure =
    word.state === 'failed'
      ? { error_code: word.code, error: receipt.message || `the sensor answered error ${word.code}` }
      : {};
  return {
    epoch,
    event: {
      type,
      event_id: eventId(type, oid, taskId, sid, word.attempt),
      oid,
      task_id: taskId,
      sid,
      attempt: word.attempt,
      occurred_at: word.atMs,
      detail: JSON.stringify({ expires_at: word.expiresAtMs, ...failure }),
    },
  };
}

export function deliveredEvent(
  { oid, sid, taskId, occurredAtMs }: Sorted['delivered'][number],
  epoch: string,
): EpochEvent {
  return {
    epoch,
    event: {
      type: 'TASK_DELIVERED',
      event_id: eventId('TASK_DELIVERED', oid, taskId, sid, null),
      oid,
      task_id: taskId,
      sid,
      attempt: null,
      occurred_at: occurredAtMs,
      detail: null,
    },
  };
}
