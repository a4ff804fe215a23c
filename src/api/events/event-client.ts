/**
 * One reader of the event stream. Guarantees:
 *  - who comes back gets what was written since, from Kafka, before anything newer, and at the pace at which it reads;
 *  - meanwhile, and whenever it reads too slowly, at most BUFFER_MAX_BYTES are held for it: then it is cut off, and can come
 *    back to where it stopped;
 *  - an id is good for going on after its event: of the two that one record may give, the first does not count it as read.
 */
import type { ServerResponse } from 'node:http';
import client from 'prom-client';
import { activitiesOf, type NamedActivity } from '../../command/activity.ts';
import type { LogOffset, TaskEvent } from '../../model/records.ts';
import type { Positions, TaskEventFeed } from '../ports.ts';
import type { Asked } from './event-id.ts';
import { replayFrom } from './event-position.ts';

const BUFFER_MAX_BYTES = 1024 * 1024;
/** Events that come in while older ones are replayed; each is a few hundred bytes. */
const QUEUE_MAX = 5_000;

/** Says to who comes back that events were left out, and nothing of them. */
const GAP = 'event: gap\ndata: {}\n\n';

const cutOff = new client.Counter({
  name: 'rt_event_streams_cut_total',
  help: 'Event streams that were cut off because their client read too slowly.',
});

/** null: not narrowed by it. */
export type Narrow = { taskId: string | null; sid: string | null };

export class EventClient {
  readonly #raw: ServerResponse;
  readonly #narrow: Narrow;
  readonly #positions: Map<number, number>;
  /** What comes in during a replay; null: nothing is replayed. */
  #queue: [LogOffset, TaskEvent][] | null = null;

  readonly #feed: TaskEventFeed;
  readonly #seal: (positions: Positions) => string;

  /** `seal` makes positions an id. */
  constructor(raw: ServerResponse, narrow: Narrow, feed: TaskEventFeed, seal: (positions: Positions) => string) {
    this.#seal = seal;
    this.#raw = raw;
    this.#narrow = narrow;
    this.#feed = feed;
    this.#positions = new Map(feed.positions());
  }

  /** Listens from now on; where `asked` says how far the reader has come, what it has missed comes first, and where it cannot
   *  be read, that something may be missed. Answers how to end it. A replay that fails ends the stream: the reader comes back
   *  by itself. */
  start(oid: string, asked: Asked): () => void {
    const gone = new AbortController();
    const now = new Map(this.#positions);
    const unsubscribe = this.#feed.subscribe(oid, (logOffset, event) => this.#take(logOffset, event));
    if (asked === null || asked === 'unreadable') {
      this.comment('connected');
      if (asked !== null) this.#push(GAP);
    } else void this.#replay(oid, asked, now, gone.signal).catch(() => this.#raw.end());
    return () => {
      gone.abort();
      unsubscribe();
    };
  }

  /** Keeps the connection open, and tells how far the topic was read, so that a quiet org has little to replay. */
  comment(text: string): void {
    if (this.#queue === null)
      for (const [partition, offset] of this.#feed.positions()) this.#advance({ partition, offset: offset - 1 });
    this.#push(`: ${text}\nid: ${this.#seal(this.#positions)}\n\n`);
  }

  async #replay(oid: string, asked: Positions, to: Positions, gone: AbortSignal): Promise<void> {
    this.#queue = [];
    const { from, skipped } = replayFrom(asked, to);
    for (const [partition, offset] of from) this.#positions.set(partition, offset);
    this.comment('connected');
    if (skipped > 0) this.#push(GAP);
    const write = async (logOffset: LogOffset, event: TaskEvent) => {
      this.#write(logOffset, event);
      if (this.#raw.writableNeedDrain) await drained(this.#raw);
    };
    await this.#feed.replay(oid, from, to, write, gone);
    for (const [partition, offset] of to) this.#advance({ partition, offset: offset - 1 });
    const queued = this.#queue;
    this.#queue = null;
    for (const [logOffset, event] of queued) this.#write(logOffset, event);
  }

  #take(logOffset: LogOffset, event: TaskEvent): void {
    if (this.#queue === null) this.#write(logOffset, event);
    else if (this.#queue.push([logOffset, event]) > QUEUE_MAX) this.#cutOff();
  }

  #write(logOffset: LogOffset, event: TaskEvent): void {
    const shown = activitiesOf(event).filter((named) => isWanted(named, this.#narrow));
    for (const named of shown.slice(0, -1)) this.#push(textOf(this.#seal(this.#positions), named));
    this.#advance(logOffset);
    const last = shown.at(-1);
    if (last !== undefined) this.#push(textOf(this.#seal(this.#positions), last));
  }

  #advance({ partition, offset }: LogOffset): void {
    this.#positions.set(partition, Math.max(this.#positions.get(partition) ?? 0, offset + 1));
  }

  #push(text: string): void {
    if (this.#raw.writableEnded || this.#raw.destroyed) return;
    this.#raw.write(text);
    if (this.#raw.writableLength > BUFFER_MAX_BYTES) this.#cutOff();
  }

  #cutOff(): void {
    if (this.#raw.destroyed) return;
    cutOff.inc();
    this.#raw.destroy();
  }
}

const drained = (raw: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      raw.off('drain', done);
      raw.off('close', done);
      resolve();
    };
    raw.on('drain', done);
    raw.on('close', done);
  });

const isWanted = ({ activity: { event } }: NamedActivity, { taskId, sid }: Narrow): boolean =>
  (taskId === null || event.task_id === taskId) && (sid === null || event.sid === sid);

const textOf = (id: string, { name, activity }: NamedActivity): string =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(activity)}\n\n`;
