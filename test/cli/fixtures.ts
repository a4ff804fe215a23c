import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Io } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/program.ts';

export const OID = '7e41e07b-c44c-43a3-b78d-41f34204789d';
export const API_KEY = '0b7fd1f6-51a6-4a3c-8d5a-2f0a1f9c7f3e';
export const NOW_MS = Date.UTC(2026, 0, 1);

/** A terminal that remembers what was printed. Without XDG_CONFIG_HOME there is no profile to find. */
export function makeIo(over: Partial<Io> = {}): Io & { printed: { out: string; err: string } } {
  const printed = { out: '', err: '' };
  return {
    name: 'rt',
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    terminal: false,
    colour: false,
    errTerminal: false,
    errColour: false,
    inTerminal: false,
    readLine: async () => null,
    columns: 120,
    env: { XDG_CONFIG_HOME: '/nonexistent', RT_OID: OID, RT_API_KEY: API_KEY },
    fetch: globalThis.fetch,
    nowMs: () => NOW_MS,
    stopped: new AbortController().signal,
    ...over,
    printed,
  };
}

export async function run(args: string[], over: Partial<Io> = {}) {
  const io = makeIo(over);
  const exitCode = await runCli(args, io);
  return { exitCode, ...io.printed };
}

export type Received = { method: string; path: string; headers: IncomingMessage['headers']; form: URLSearchParams };

/** A server on a free port; `answer` gets each request other than the one for a token, which gives `token-1`, `token-2` … */
export async function serveAnswers(answer: (request: Received, response: ServerResponse) => void) {
  const requests: Received[] = [];
  let tokens = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      form: new URLSearchParams(Buffer.concat(chunks).toString()),
    };
    requests.push(received);
    if (received.path === '/' && received.form.get('secret') === API_KEY) {
      tokens += 1;
      response.end(JSON.stringify({ jwt: `token-${tokens}` }));
    } else answer(received, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
