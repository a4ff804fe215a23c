// Checks whether a server answers, with a few bytes of its protocol. No client library: a probe must be quick and silent, and must
// not retry.

import { connect } from 'node:net';

/** Sends `request` and checks the first bytes of the answer with `accept`. False on any failure or after `timeoutMs`. */
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

/** A Kafka request with a null client id. */
function kafkaRequest(apiKey: number, version: number, body: readonly number[] = []): Buffer {
  const request = Buffer.alloc(14 + body.length);
  request.writeInt32BE(10 + body.length, 0); // bytes that follow
  request.writeInt16BE(apiKey, 4);
  request.writeInt16BE(version, 6);
  request.writeInt32BE(CORRELATION_ID, 8);
  request.writeInt16BE(-1, 12);
  request.set(body, 14);
  return request;
}

/** ApiVersions version 0: every broker since 0.10 answers it before anything else. */
const apiVersions = kafkaRequest(18, 0);
/** Metadata version 4 of no topics, creating none. The answer names the cluster. */
const metadata = kafkaRequest(3, 4, [0, 0, 0, 0, 0]);

function isKafkaAnswer(answer: Buffer): boolean {
  return answer.length >= 8 && answer.readInt32BE(4) === CORRELATION_ID;
}

/** True when the broker there serves, and belongs to this cluster: another one may have been faster to take the port. */
export function kafkaOfCluster(port: number, clusterId: string): Promise<boolean> {
  return ask(port, '127.0.0.1', metadata, (answer) => isKafkaAnswer(answer) && answer.includes(clusterId));
}

/** True when a Kafka broker answers requests there, not merely accepts connections. */
export function kafkaAnswers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return ask(port, host, apiVersions, isKafkaAnswer);
}

/** True when a Redis answers there and has loaded its data. */
export function redisAnswers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return ask(port, host, Buffer.from('PING\r\n'), (answer) => answer.toString('latin1').startsWith('+PONG'));
}

/** True when the Redis there is this very process and has loaded its data. */
export async function redisOfProcess(port: number, pid: number): Promise<boolean> {
  const ours = (answer: Buffer) => answer.toString('latin1').includes(`process_id:${pid}\r`);
  return (await ask(port, '127.0.0.1', Buffer.from('INFO server\r\n'), ours)) && redisAnswers(port);
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
