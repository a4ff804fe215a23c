/**
 * `GET /v1/orgs/{oid}/events`: the task events of an org as Server-Sent Events, from now on, or after the event of Last-Event-ID
 * (event-client.ts). Guarantees:
 *  - when its key is deleted or loses the right, or its org unsubscribes, a stream ends as soon as this process reads the change; when
 *    its token expires, it ends at the next heartbeat, a comment that keeps proxies from closing a quiet stream;
 *  - a key has at most EVENT_STREAMS_PER_KEY open streams at this process: the next one is refused;
 *  - `stop` ends all streams cleanly.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import pLimit from 'p-limit';
import client from 'prom-client';
import { ApiError } from '../../errors.ts';
import { notSubscribed } from '../auth/admit.ts';
import type { Tokens } from '../auth/tokens.ts';
import { sendHead } from '../http/json-stream.ts';
import type { ApiPorts } from '../ports.ts';
import { EventClient, type Narrow } from './event-client.ts';
import { createEventIds, type EventIds } from './event-id.ts';

/** One of them is needed, for as long as the stream lasts. */
export const STREAM_RIGHTS = ['sensor.list', 'sensor.task'];

const HEARTBEAT_MS = 15_000;
const REPLAYS_AT_ONCE = 8;

const open = new client.Gauge({ name: 'rt_event_streams', help: 'Open event streams.' });
type StreamPorts = Pick<ApiPorts, 'config' | 'events' | 'orgs' | 'nowMs'>;
type Stream = { credential: string; mayGoOn(): boolean; end(): void };

export class EventStreams {
  readonly #ports: StreamPorts;
  readonly #tokens: Tokens;
  readonly #ids: EventIds;
  readonly #streams = new Set<Stream>();
  /** Each replay reads Kafka with a consumer of its own. */
  readonly #replays = pLimit(REPLAYS_AT_ONCE);
  readonly #forget: () => void;

  constructor(ports: StreamPorts, tokens: Tokens) {
    this.#ports = ports;
    this.#tokens = tokens;
    this.#ids = createEventIds(ports.config);
    this.#forget = ports.orgs.onChange(() => {
      for (const stream of this.#streams) if (!stream.mayGoOn()) stream.end();
    });
  }

  /** Takes over the connection until the client, the token or the server ends it. Throws `not_subscribed`, or `rate_limited` if the key
   *  has too many streams. */
  open(
    request: Pick<FastifyRequest, 'method' | 'oid' | 'identity' | 'headers'>,
    reply: FastifyReply,
    narrow: Narrow,
  ): void {
    const { oid, identity } = request;
    const { orgs, nowMs, events } = this.#ports;
    const asked = this.#ids.open(oid, request.headers['last-event-id'] as string | undefined);
    if (!orgs.subscribed(oid, nowMs())) throw notSubscribed();
    this.#refuseMore(identity.credential);
    if (request.method === 'HEAD') return void sendHead(reply, 'text/event-stream');
    const mayGoOn = () => this.#tokens.stands(identity, oid, STREAM_RIGHTS) && orgs.subscribed(oid, nowMs());
    const { raw } = reply;
    reply.hijack();
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const replay: typeof events.replay = (...what) => this.#replays(() => events.replay(...what));
    const reader = new EventClient(raw, narrow, { ...events, replay }, (positions) => this.#ids.seal(oid, positions));
    const leave = reader.start(oid, asked);
    const heartbeat = setInterval(() => {
      if (mayGoOn()) reader.comment('heartbeat');
      else raw.end();
    }, HEARTBEAT_MS);
    const stream = { credential: identity.credential, mayGoOn, end: () => raw.end() };
    this.#streams.add(stream);
    open.inc();
    raw.on('close', () => {
      leave();
      clearInterval(heartbeat);
      this.#streams.delete(stream);
      open.dec();
    });
  }

  #refuseMore(credential: string): void {
    const most = this.#ports.config.EVENT_STREAMS_PER_KEY;
    let mine = 0;
    for (const stream of this.#streams) if (stream.credential === credential) mine += 1;
    if (mine < most) return;
    const sentence = `This key already has ${most} open event streams: close one first.`;
    throw new ApiError('rate_limited', sentence, { retryAfterSeconds: HEARTBEAT_MS / 1_000 });
  }

  /** Ends all streams. Clients reconnect on their own. */
  stop(): void {
    this.#forget();
    for (const stream of this.#streams) stream.end();
  }
}
