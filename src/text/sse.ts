/**
 * Server-Sent Events from bytes. The library takes the text apart; this keeps the last id, which the HTML standard applies to the
 * events that follow and which a client sends as Last-Event-ID. An event that is unfinished when the stream ends is dropped.
 */
import { createParser } from 'eventsource-parser';

export type SseEvent = { id: string; event: string; data: string };

export class SseParser {
  #decoder = new TextDecoder();
  #events: SseEvent[] = [];
  readonly #parser = createParser({
    onId: (id) => {
      this.lastEventId = id;
    },
    onEvent: ({ event, data }) => this.#events.push({ id: this.lastEventId, event: event || 'message', data }),
  });
  lastEventId = '';

  push(chunk: Uint8Array): SseEvent[] {
    this.#parser.feed(this.#decoder.decode(chunk, { stream: true }));
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** For the next connection: drops an unfinished event, keeps the last id. */
  reset(): void {
    this.#decoder = new TextDecoder();
    this.#parser.reset();
  }
}
