// Asks a server whether it serves, in the few bytes of its protocol that this takes. No client library: a probe must be
// quick, silent and free of retries.

import { connect } from 'node:net';

/** Sends `request` and says whether the first bytes of the answer please `accept`. False on any failure or after `timeoutMs`. */
function ask(port: number, host: string, request: Buffer, accept: (answer: Buffer) => boolean, timeoutMs = 1000) {
  return new Promise<boolean>((resolve) => {
    const socket = connect({ port, host });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write(request));
    socket.once('data', (answer) => finish(accept(answer)));
  });
}

const CORRELATION_ID = 0x52544b31;

/** ApiVersions version 0 with a null client id: every broker since 0.10 answers it before anything else. */
function apiVersionsRequest(): Buffer {
  const request = Buffer.alloc(14);
  request.writeInt32BE(10, 0); // bytes that follow
  request.writeInt16BE(18, 4); // ApiVersions
  request.writeInt16BE(0, 6);
  request.writeInt32BE(CORRELATION_ID, 8);
  request.writeInt16BE(-1, 12);
  return request;
}

/** True when a Kafka broker answers requests there, not merely accepts connections. */
export function kafkaAnswers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return ask(
    port,
    host,
    apiVersionsRequest(),
    (answer) => answer.length >= 8 && answer.readInt32BE(4) === CORRELATION_ID,
  );
}

/** True when a Redis answers there and has loaded its data. */
export function redisAnswers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return ask(port, host, Buffer.from('PING\r\n'), (answer) => answer.toString('latin1').startsWith('+PONG'));
}

/** True when something accepts connections there. */
export function accepts(port: number, host: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('connect', () => finish(true));
  });
}
