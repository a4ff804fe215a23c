/**
 * A batch of `task-events`, which a projection that was lost needs to know what was sent and acknowledged. In steady state
 * every event carries the present epoch: Redis has it already. What happened each minute (stats.ts) is counted of all.
 */
import { checkTaskEvent, detailOf } from '../command/check-written.ts';
import type { TaskEvent } from '../model/records.ts';
import { STATE_AFTER } from '../model/states.ts';
import type { Batch, DeadLetter, Decoded, InRecord, RolePorts } from '../ports.ts';
import { GenerationOver, SCRIPTS_PER_PIPELINE } from './commands.ts';
import type { AckedEvent, AckedRequest } from './projection.ts';
import type { Rebuild } from './rebuild.ts';
import { countEvents, type LoggedEvent } from './stats.ts';

const EVENTS_PER_SCRIPT = 200;

export async function applyEvents(
  { inbox, outbox, projection, stats, clock, metrics }: RolePorts,
  rebuild: Rebuild,
  batch: Batch,
): Promise<void> {
  const position = rebuild.positions.position('t', batch.partition);
  if (!position) throw new GenerationOver();
  const { generation } = position;
  const decoded = await inbox.decode('TaskEvent', batch.records);
  const judged = judgeEvents(decoded);
  const effects = rebuild.effectsFrom.get(`t${batch.partition}`) ?? 0;
  const deadLetters = judged.deadLetters.filter(({ record }) => record.offset >= effects);
  const byOrg = new Map<string, AckedEvent[]>();
  const counted = new Map<string, { epoch: string; events: LoggedEvent[] }>();
  for (const { record, event } of judged.events) {
    const org = rebuild.positions.org(event.oid);
    if (!org) continue;
    const counting = counted.get(event.oid) ?? { epoch: org.epoch, events: [] };
    counted.set(event.oid, counting);
    counting.events.push({ offset: record.offset, event });
    if (epochOf(record) === org.epoch) continue;
    const acked = toAcked(event);
    if (!acked) continue;
    const events = byOrg.get(event.oid);
    if (events) events.push(acked);
    else byOrg.set(event.oid, [acked]);
  }
  const requests: AckedRequest[] = [];
  for (const [oid, events] of byOrg) {
    const epoch = rebuild.positions.org(oid)?.epoch ?? '';
    for (let i = 0; i < events.length; i += EVENTS_PER_SCRIPT) {
      const last = i + EVENTS_PER_SCRIPT >= events.length;
      const nextOffset = last ? batch.nextOffset : -1; // only the last part moves the offset
      requests.push({
        oid,
        epoch,
        partition: batch.partition,
        nextOffset,
        events: events.slice(i, i + EVENTS_PER_SCRIPT),
      });
    }
  }
  if (rebuild.positions.position('t', batch.partition)?.generation !== generation || !batch.alive())
    throw new GenerationOver();
  const fromOffset = batch.records[0]?.offset ?? batch.nextOffset;
  await countEvents(stats, counted, { ...batch, fromOffset }, clock.nowMs());
  for (let i = 0; i < requests.length; i += SCRIPTS_PER_PIPELINE) {
    const answers = await projection.applyEvents(requests.slice(i, i + SCRIPTS_PER_PIPELINE));
    if (answers.some((answer) => !answer.ok)) throw new GenerationOver();
  }
  await outbox.deadLetters(deadLetters);
  for (const { code } of deadLetters) metrics.deadLettered(code);
  if (!rebuild.positions.advance('t', batch.partition, generation, batch.nextOffset)) throw new GenerationOver();
}

/** What a record that may not be acted on is refused for, and the events of the others. Pure, and of a replay the same. */
export function judgeEvents(decoded: Decoded<TaskEvent>[]): {
  events: { record: InRecord; event: TaskEvent }[];
  deadLetters: DeadLetter[];
} {
  const judged: ReturnType<typeof judgeEvents> = { events: [], deadLetters: [] };
  for (const item of decoded) {
    const { record } = item;
    const refusal =
      'refusal' in item ? item.refusal : checkTaskEvent(record.key?.toString() ?? null, item.value, record.timestampMs);
    if (refusal) judged.deadLetters.push({ record, ...refusal });
    else if ('value' in item) judged.events.push({ record, event: item.value });
  }
  return judged;
}

const epochOf = ({ headers }: InRecord): string => String(headers['rt-epoch'] ?? '');

/** What a rebuild needs of a valid event; null where the command says it all. */
export function toAcked(event: TaskEvent): AckedEvent | null {
  const type = STATE_AFTER[event.type];
  if (type === null || type === 'queued' || (event.sid === null && type !== 'expired')) return null;
  const detail = detailOf(event);
  return {
    type,
    taskId: event.task_id,
    sid: event.sid ?? '',
    attempt: event.attempt ?? 0,
    atMs: event.occurred_at,
    expiresAtMs: typeof detail.expires_at === 'number' ? detail.expires_at : event.occurred_at,
    extra: type === 'sent' ? word(detail.tag) : type === 'failed' ? word(detail.error_code) : '0',
  };
}

/** As long as any tag or error code of ours. Whatever else stands there says nothing. */
const WORD_MAX = 64;

const word = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number'
    ? String(value).replace(/\s+/g, '_').slice(0, WORD_MAX) || '0'
    : '0';
