/**
 * One reader of the event stream. Guarantees:
 *  - a client that reconnects first gets from Kafka what was written since, as fast as it reads, and then newer events;
 *  - during that replay, and if it reads too slowly, at most BUFFER_MAX_BYTES are buffered for it. Above that it is disconnected, and
 *    can continue where it stopped;
 *  - a client can continue after the event of an id. If one record makes two events, the first does not count the record as read.
 */
import type { ServerResponse } from 'node:http';
import client from 'prom-client';
import { activitiesOf, type NamedActivity } from '../../command/activity.ts';
import type { LogOffset, TaskEvent } from '../../model/records.ts';
import type { Positions, TaskEventFeed } from '../ports.ts';
import type { Asked } from './event-id.ts';
import { replayFrom } from './event-position.ts';

const BUFFER_MAX_BYTES = 1024 * 1024;
/** Events that arrive while older ones are replayed; each has a few hundred bytes. */
const QUEUE_MAX = 5_000;

/** Tells a client that reconnects that events were left out, without their content. */
const GAP = 'event: gap\ndata: {}\n\n';

const cutOff = new client.Counter({
  name: 'rt_event_streams_cut_total',
  help: 'Event streams disconnected because their client read too slowly.',
});

/** null: not narrowed by it. */
export type Narrow = { taskId: string | null; sid: string | null };

export class EventClient {
  readonly #raw: ServerResponse;
  readonly #narrow: Narrow;
  readonly #positions: Map<number, number>;
  /** Events that arrive during a replay; null: no replay. */
  #queue: [LogOffset, TaskEvent][] | null = null;

  readonly #feed: TaskEventFeed;
  readonly #seal: (positions: Positions) => string;

  /** `seal` encrypts positions into an id. */
  constructor(raw: ServerResponse, narrow: Narrow, feed: TaskEventFeed, seal: (positions: Positions) => string) {
    this.#seal = seal;
    this.#raw = raw;
    this.#narrow = narrow;
    this.#feed = feed;
    this.#positions = new Map(feed.positions());
  }

  /** Listens from now on. If `asked` has the positions of the reader, the events that it missed come first; if `asked` is unreadable, a
   *  gap is sent. Returns the function that ends it. A replay that fails ends the stream, and the client reconnects. */
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

  /** Keeps the connection open and sends the positions of the topic, so that a quiet org has little to replay. */
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
