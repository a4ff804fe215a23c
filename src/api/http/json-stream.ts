/** Large JSON answers, written piece by piece: memory never holds the whole value or its text. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Sends `{"key": value, …}`. The first piece is made before the head is sent: a fault in it becomes an error answer. A later
 *  fault breaks off the answer. */
export function sendObject(
  reply: FastifyReply,
  entries: AsyncIterable<readonly (readonly [key: string, value: unknown])[]>,
): Promise<FastifyReply> {
  return sendPieces(reply, objectPieces(entries));
}

export async function sendPieces(
  reply: FastifyReply,
  pieces: AsyncGenerator<string>,
  type = 'application/json',
): Promise<FastifyReply> {
  const first = await pieces.next();
  if (reply.request.method === 'HEAD') {
    await pieces.return(undefined);
    return sendHead(reply, type);
  }
  return reply.type(`${type}; charset=utf-8`).send(Readable.from(from(first, pieces), { objectMode: false }));
}

/** The answer to HEAD for a streamed GET: nothing is read, and the length is unknown. */
export const sendHead = (reply: FastifyReply, type: string): FastifyReply =>
  reply.type(`${type}; charset=utf-8`).send(Readable.from([]));

async function* from(first: IteratorResult<string>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  if (!first.done) yield first.value;
  yield* rest;
}

async function* objectPieces(
  pages: AsyncIterable<readonly (readonly [key: string, value: unknown])[]>,
): AsyncGenerator<string> {
  let separator = '{';
  for await (const page of pages) {
    if (page.length === 0) continue;
    const text = page.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',');
    yield separator + text;
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}
