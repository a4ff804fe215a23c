/**
 * What sensor events say about deliveries, which acknowledgements Redis is asked for, and which events follow from its answers.
 * Pure: acknowledge.ts does the I/O.
 */
import { checkSensorEvent, type JsonObject } from '../command/check.ts';
import { type Judge, recordKeyOf } from '../consumer.ts';
import { eventId } from '../model/ids.ts';
import type { SensorEvent, TaskEvent } from '../model/records.ts';
import { isDeliveryNotice, taskNamedBy } from '../model/task.ts';
import type { EpochEvent } from '../ports.ts';
import type { AckRequest, AckWord, InFlight, Projection, Why } from '../projector/projection.ts';
import type { OrgPartition } from './org-partition.ts';

const ACKS_PER_SCRIPT = 200;

export type Receipt = {
  oid: string;
  sid: string;
  taskId: string;
  offset: number;
  state: 'done' | 'failed';
  code: string;
  message: string;
};
/** The sensor has the dispatch. This is no receipt. */
export type Delivered = { oid: string; sid: string; taskId: string; occurredAtMs: number };
/** What a sensor event says about a delivery. */
export type SensorAnswer = { receipt: Receipt } | { delivered: Delivered };

/** Events that name no task do not concern the joiner. */
export const judgeSensorEvent: Judge<SensorEvent, SensorAnswer> = (record, event, orgs) => {
  const checked = checkSensorEvent(recordKeyOf(record), event, orgs);
  if (checked.refusal) return { refusal: checked.refusal };
  const { oid, sid, occurred_at } = event;
  const taskId = taskNamedBy(event, checked.routing);
  if (taskId === null) return null;
  return isDeliveryNotice(event)
    ? { accepted: { delivered: { oid, sid, taskId, occurredAtMs: occurred_at } } }
    : { accepted: { receipt: { oid, sid, taskId, offset: record.offset, ...resultOf(checked.event) } } };
};

/** No ERROR, 0 and 200 mean success. */
function resultOf(event: JsonObject): { state: 'done' | 'failed'; code: string; message: string } {
  const { ERROR } = event;
  // Sensors can put any JSON there; Number() throws for some objects.
  const error = typeof ERROR === 'object' && ERROR !== null ? JSON.stringify(ERROR) : ERROR;
  const ok = error === undefined || error === null || Number(error) === 0 || Number(error) === 200;
  if (ok) return { state: 'done', code: '0', message: '' };
  const code = String(error).replace(/\s+/g, '_').slice(0, 64) || 'unknown';
  const message = typeof event.ERROR_MESSAGE === 'string' ? event.ERROR_MESSAGE.slice(0, 1_000) : '';
  return { state: 'failed', code, message };
}

/** The receipts of one script. */
export type AckPart = { orgPartition: OrgPartition; request: AckRequest; receipts: Receipt[] };

/** Groups receipts by org partition and splits them into scripts. */
export function toAckParts(orgPartitions: Map<string, OrgPartition>, receipts: Receipt[]): AckPart[] {
  const parts: AckPart[] = [];
  for (const [oid, ofOrg] of Map.groupBy(receipts, (receipt) => receipt.oid)) {
    const orgPartition = orgPartitions.get(oid);
    if (!orgPartition) continue;
    for (let i = 0; i < ofOrg.length; i += ACKS_PER_SCRIPT)
      parts.push(ackPart(orgPartition, ofOrg.slice(i, i + ACKS_PER_SCRIPT)));
  }
  return parts;
}

const ackPart = (orgPartition: OrgPartition, receipts: Receipt[]): AckPart => ({
  orgPartition,
  request: {
    oid: orgPartition.oid,
    epoch: orgPartition.epoch,
    partition: orgPartition.partition,
    fencingToken: orgPartition.fencingToken ?? '',
    acks: receipts.map(({ taskId, sid, state, code }) => ({ taskId, sid, state, code })),
  },
  receipts,
});

export type Acked = { receipt: Receipt; orgPartition: OrgPartition; epoch: string; word: AckWord };
export type AckResult = {
  acked: Acked[];
  /** Claim batches that were in flight at the acknowledgement. */
  inFlight: { oid: string; epoch: string; nowMs: number; entries: InFlight[] }[];
  /** Nothing was acknowledged for these. */
  refused: { orgPartition: OrgPartition; fencingToken: string; why: Why }[];
};

/** `answers` in the order of the parts. */
export function readAckAnswers(parts: AckPart[], answers: Awaited<ReturnType<Projection['ack']>>): AckResult {
  const result: AckResult = { acked: [], inFlight: [], refused: [] };
  for (const [i, { orgPartition, request, receipts }] of parts.entries()) {
    const { oid, epoch, fencingToken } = request;
    const answer = answers[i] as (typeof answers)[number];
    if (!answer.ok) {
      result.refused.push({ orgPartition, fencingToken, why: answer.why });
      continue;
    }
    for (const [at, receipt] of receipts.entries())
      result.acked.push({ receipt, orgPartition, epoch, word: answer.words[at] as AckWord });
    if (answer.waitFor.length > 0) result.inFlight.push({ oid, epoch, nowMs: answer.nowMs, entries: answer.waitFor });
  }
  return result;
}

/** The event of a settled delivery. It follows from what Redis has stored, so it is the same whichever process writes it. */
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

export function deliveredEvent({ oid, sid, taskId, occurredAtMs }: Delivered, epoch: string): EpochEvent {
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
