/**
 * `GET /v1/orgs/{oid}/events`: the task events of an org as Server-Sent Events, from now on. Guarantees:
 *  - a stream holds at most BUFFER_MAX_BYTES for a client that reads too slowly; then the client is cut off, and can come
 *    back, while nobody else waits;
 *  - a stream whose key is gone or has lost the right, or whose org has unsubscribed, ends when this process learns of it; one
 *    whose token has run out ends at the next heartbeat, a comment that keeps proxies from closing a quiet stream;
 *  - `stop` ends all streams cleanly.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import client from 'prom-client';
import { activitiesOf, type NamedActivity } from './activity.ts';
import { notSubscribed } from './authorize.ts';
import type { ApiPorts } from './ports.ts';
import type { Tokens } from './tokens.ts';

/** One of them is needed, for as long as the stream lasts. */
export const STREAM_RIGHTS = ['sensor.list', 'sensor.task'];

const HEARTBEAT_MS = 15_000;
const BUFFER_MAX_BYTES = 1024 * 1024;

const open = new client.Gauge({ name: 'rt_event_streams', help: 'Event streams that are open.' });
const cutOff = new client.Counter({
  name: 'rt_event_streams_cut_total',
  help: 'Event streams that were cut off because their client read too slowly.',
});

/** null: not narrowed by it. */
export type Narrow = { taskId: string | null; sid: string | null };

type StreamPorts = Pick<ApiPorts, 'events' | 'orgs' | 'nowMs'>;
type Stream = { mayGoOn(): boolean; end(): void };

export class EventStreams {
  readonly #ports: StreamPorts;
  readonly #tokens: Tokens;
  readonly #streams = new Set<Stream>();
  readonly #forget: () => void;

  constructor(ports: StreamPorts, tokens: Tokens) {
    this.#ports = ports;
    this.#tokens = tokens;
    this.#forget = ports.orgs.onChange(() => {
      for (const stream of this.#streams) if (!stream.mayGoOn()) stream.end();
    });
  }

  /** Takes the connection over until client, token or server ends it. Throws `not_subscribed`. */
  open({ oid, identity }: Pick<FastifyRequest, 'oid' | 'identity'>, reply: FastifyReply, narrow: Narrow): void {
    const { orgs, nowMs } = this.#ports;
    if (!orgs.subscribed(oid, nowMs())) throw notSubscribed();
    const mayGoOn = () => this.#tokens.stands(identity, oid, STREAM_RIGHTS) && orgs.subscribed(oid, nowMs());
    const { raw } = reply;
    reply.hijack();
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    raw.write(': connected\n\n');
    const unsubscribe = this.#ports.events.subscribe(oid, (id, event) => {
      for (const named of activitiesOf(event)) if (isWanted(named, narrow)) push(raw, textOf(id, named));
    });
    const heartbeat = setInterval(() => {
      if (mayGoOn()) push(raw, ': heartbeat\n\n');
      else raw.end();
    }, HEARTBEAT_MS);
    const stream = { mayGoOn, end: () => raw.end() };
    this.#streams.add(stream);
    open.inc();
    raw.on('close', () => {
      unsubscribe();
      clearInterval(heartbeat);
      this.#streams.delete(stream);
      open.dec();
    });
  }

  /** Ends all streams; clients come back by themselves. */
  stop(): void {
    this.#forget();
    for (const stream of this.#streams) stream.end();
  }
}

function push(raw: ServerResponse, text: string): void {
  if (raw.writableEnded || raw.destroyed) return;
  raw.write(text);
  if (raw.writableLength <= BUFFER_MAX_BYTES) return;
  cutOff.inc();
  raw.destroy();
}

const isWanted = ({ activity: { event } }: NamedActivity, { taskId, sid }: Narrow): boolean =>
  (taskId === null || event.task_id === taskId) && (sid === null || event.sid === sid);

const textOf = (id: string, { name, activity }: NamedActivity): string =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(activity)}\n\n`;
