/**
 * The HTTP client of the commands. It requests a token when it first needs one, and once more after a 401. Errors have the code
 * and the message of the server. They never contain the API key or a token.
 */
import { EXTENSION } from '../../orgs/table.ts';
import { type SseEvent, SseParser } from '../../text/sse.ts';
import { type CliError, cliError, errorOfAnswer } from '../errors.ts';
import type { ApiSettings } from './settings.ts';

export type ClientOptions = ApiSettings & { fetch: typeof globalThis.fetch; stopped: AbortSignal };

export class Client {
  readonly #options: ClientOptions;
  #token: Promise<string> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Runs an action of the extension. Returns its `data`. */
  async request<T>(action: string, data: object, headers: Record<string, string> = {}): Promise<T> {
    const form = new URLSearchParams({ oid: this.#options.oid, action, data: JSON.stringify(data) });
    const response = await this.#authorized(`/v1/extension/request/${EXTENSION}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    const envelope = (await this.#json(response)) as { data?: T };
    if (envelope.data === undefined) throw errorOfAnswer(response.status, envelope);
    return envelope.data;
  }

  /** Any other call. `{oid}` in the path stands for the org. Returns the JSON. */
  async call<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    fields: Record<string, string> | URLSearchParams = {},
  ): Promise<T> {
    const response = await this.#authorized(path.replace('{oid}', this.#options.oid), {
      method,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      ...(method === 'GET' ? {} : { body: new URLSearchParams(fields).toString() }),
    });
    return (await this.#json(response)) as T;
  }

  /** The chunks of an answer that is not JSON. Throws if the answer breaks off. */
  async *text(path: string): AsyncGenerator<string> {
    const response = await this.#authorized(path.replace('{oid}', this.#options.oid), {});
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) yield decoder.decode(chunk, { stream: true });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  /** The task events of the org from now on, or after `lastEventId`, until the server ends the stream. `onOpen` is called
   *  when the server has accepted the request: no later event is missed. `onId` gets the id to resume from, also
   *  during a time without events. */
  async *events(
    query: Record<string, string>,
    lastEventId: string,
    onOpen: () => void,
    onId: (id: string) => void = () => {},
  ): AsyncGenerator<SseEvent> {
    const path = `/v1/orgs/${this.#options.oid}/events?${new URLSearchParams(query)}`;
    const headers = { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) };
    const response = await this.#authorized(path, { headers });
    onOpen();
    const parser = new SseParser();
    try {
      for await (const chunk of response.body ?? []) {
        yield* parser.push(chunk);
        if (parser.lastEventId !== '') onId(parser.lastEventId);
      }
    } catch (error) {
      if (!this.#options.stopped.aborted) throw this.#unreachable(error);
    }
  }

  /** A 2xx answer, or an error. */
  async #authorized(path: string, init: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      this.#token ??= this.#fetchToken();
      const token = await this.#token;
      const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` };
      const response = await this.#send(path, { ...init, headers });
      if (response.ok) return response;
      if (response.status === 401) this.#token = undefined;
      if (response.status !== 401 || attempt === 2) throw await this.#errorOf(response);
      await response.body?.cancel();
    }
  }

  async #fetchToken(): Promise<string> {
    const { oid, apiKey, uid } = this.#options;
    const response = await this.#send('/', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ oid, secret: apiKey, ...(uid ? { uid } : {}) }).toString(),
    });
    if (!response.ok) throw await this.#errorOf(response);
    const { jwt } = (await this.#json(response)) as { jwt?: unknown };
    if (typeof jwt !== 'string') throw this.#notOurs();
    return jwt;
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#options.fetch(this.#options.url + path, { ...init, signal: this.#options.stopped });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #json(response: Response): Promise<object> {
    try {
      const value: unknown = JSON.parse(await response.text());
      if (typeof value === 'object' && value !== null) return value;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw this.#unreachable(error);
    }
    throw this.#notOurs();
  }

  /** The server's message. The API key is removed in case the server repeats it. */
  async #errorOf(response: Response): Promise<CliError> {
    const text = (await response.text().catch(() => '')).replaceAll(this.#options.apiKey, '***');
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      body = undefined;
    }
    return errorOfAnswer(response.status, body);
  }

  #notOurs(): CliError {
    const sentence = `${this.#options.url} is not a Reliable Tasking server.`;
    return cliError('not_our_server', sentence, 'Check --url (or RT_URL).');
  }

  #unreachable(error: unknown): CliError {
    if (this.#options.stopped.aborted) return cliError('stopped', 'Stopped.');
    const cause = (error as { cause?: { code?: unknown } }).cause?.code;
    const sentence = `${this.#options.url} does not answer${typeof cause === 'string' ? ` (${cause})` : ''}.`;
    return cliError('unavailable', sentence, 'Check that the server is running, and check --url (or RT_URL).');
  }
}
