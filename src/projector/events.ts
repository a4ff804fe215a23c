/**
 * A batch of `task-events`: decode and judge -> count the minutes -> apply in Redis -> dead letters -> advance the position.
 *
 * A projection that was lost needs these events to know what was sent and acknowledged. In steady state every event carries the
 * current epoch, which says that Redis has it. The minutes (stats.ts) count all events.
 */
import { checkTaskEvent, detailOf } from '../command/check-written.ts';
import { type Judge, judgeBatch, recordKeyOf, verdictOf, writeDeadLetters } from '../consumer.ts';
import type { TaskEvent } from '../model/records.ts';
import { STATE_AFTER } from '../model/states.ts';
import type { Batch, InRecord, RolePorts } from '../ports.ts';
import { chunksOf } from '../text/chunks.ts';
import { GenerationOver, SCRIPTS_PER_PIPELINE } from './commands.ts';
import { partitionKey } from './org-progress.ts';
import type { AckedEvent, AckedRequest } from './projection.ts';
import type { Rebuild } from './rebuild.ts';
import { countEvents, type LoggedEvent } from './stats.ts';

const EVENTS_PER_SCRIPT = 200;

type EventPorts = Pick<RolePorts, 'inbox' | 'orgs' | 'outbox' | 'projection' | 'stats' | 'clock' | 'metrics'>;

/** The events of one org in a batch: all that are counted, and those that Redis does not have. */
type OrgEvents = { epoch: string; events: LoggedEvent[]; missing: AckedEvent[] };

export type JudgedEvent = { record: InRecord; event: TaskEvent };

/** A replay gives the same verdict. */
export const judgeEvent: Judge<TaskEvent, JudgedEvent> = (record, event) =>
  verdictOf(checkTaskEvent(recordKeyOf(record), event, record.timestampMs), { record, event });

export async function applyEvents(ports: EventPorts, rebuild: Rebuild, batch: Batch): Promise<void> {
  const { projection, stats, clock } = ports;
  const { positions, effects } = rebuild;
  const { partition, nextOffset } = batch;
  const key = partitionKey('t', partition);
  const position = positions.at(key);
  if (!position) throw new GenerationOver();
  const { accepted, deadLetters } = await judgeBatch(ports, 'TaskEvent', batch.records, judgeEvent);
  const byOrg = byOrgOf(accepted, rebuild);
  const requests = requestsOf(byOrg, batch);
  if (!batch.alive() || !positions.isCurrent(key, position.generation)) throw new GenerationOver();
  const fromOffset = batch.records[0]?.offset ?? nextOffset;
  await countEvents(stats, byOrg, { partition, fromOffset, nextOffset }, clock.nowMs());
  for (const pipeline of chunksOf(requests, SCRIPTS_PER_PIPELINE)) {
    const answers = await projection.applyEvents(pipeline);
    if (answers.some((answer) => !answer.ok)) throw new GenerationOver();
  }
  const refused = deadLetters.filter(({ record }) => record.offset >= effects.from('t', partition));
  await writeDeadLetters(ports, refused);
  if (!positions.advance(key, position.generation, nextOffset)) throw new GenerationOver();
}

function byOrgOf(accepted: readonly JudgedEvent[], { orgs }: Rebuild): Map<string, OrgEvents> {
  const byOrg = new Map<string, OrgEvents>();
  for (const { record, event } of accepted) {
    const org = orgs.get(event.oid);
    if (!org) continue;
    const ofOrg = byOrg.get(event.oid) ?? { epoch: org.epoch, events: [], missing: [] };
    byOrg.set(event.oid, ofOrg);
    ofOrg.events.push({ offset: record.offset, event });
    const acked = epochOf(record) === org.epoch ? null : toAcked(event);
    if (acked) ofOrg.missing.push(acked);
  }
  return byOrg;
}

function requestsOf(byOrg: ReadonlyMap<string, OrgEvents>, { partition, nextOffset }: Batch): AckedRequest[] {
  const requests: AckedRequest[] = [];
  for (const [oid, { epoch, missing }] of byOrg) {
    const chunks = [...chunksOf(missing, EVENTS_PER_SCRIPT)];
    for (const [i, events] of chunks.entries()) {
      const isLast = i === chunks.length - 1;
      requests.push({ oid, epoch, partition, nextOffset: isLast ? nextOffset : NO_OFFSET, events });
    }
  }
  return requests;
}

/** Only the last script of an org moves its offset. */
const NO_OFFSET = -1;

const epochOf = ({ headers }: InRecord): string => String(headers['rt-epoch'] ?? '');

/** What a rebuild needs of a valid event. null: the commands say it already. */
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
    extra: type === 'sent' ? wordOf(detail.tag) : type === 'failed' ? wordOf(detail.error_code) : '0',
  };
}

/** No connection hash or error code of this project is longer. Other producers can write any text there. */
const WORD_MAX = 64;

/** Redis keeps it as one word of a text: without spaces, and never empty. */
const wordOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number'
    ? String(value).replace(/\s+/g, '_').slice(0, WORD_MAX) || '0'
    : '0';
