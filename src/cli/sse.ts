/**
 * Reads Server-Sent Events as the HTML standard says: fields by line, an event at the empty line, lines ended by LF, CR or
 * both, however the bytes are cut. An event that is unfinished when the stream ends is dropped. No I/O.
 */
export type SseEvent = { id: string; event: string; data: string };

export class SseParser {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #event = '';
  #data: string[] = [];
  /** The last id seen; the standard keeps it for the events that follow, and for Last-Event-ID. */
  lastEventId = '';

  push(chunk: Uint8Array): SseEvent[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const events: SseEvent[] = [];
    for (;;) {
      const line = this.#takeLine();
      if (line === undefined) return events;
      const event = this.#line(line);
      if (event) events.push(event);
    }
  }

  /** A CR at the very end may be half of a CRLF: it waits for what follows. */
  #takeLine(): string | undefined {
    const end = this.#rest.search(/\r\n|\n|\r(?!$)/);
    if (end < 0) return undefined;
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + (this.#rest.startsWith('\r\n', end) ? 2 : 1));
    return line;
  }

  #line(line: string): SseEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    return undefined;
  }

  #dispatch(): SseEvent | undefined {
    const [event, data] = [this.#event || 'message', this.#data];
    this.#event = '';
    this.#data = [];
    return data.length === 0 ? undefined : { id: this.lastEventId, event, data: data.join('\n') };
  }
}
