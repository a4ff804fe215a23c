/** JSON answers that may be large, written piece by piece: neither the value nor its text is ever whole in memory. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Sends `{"key": value, …}`. The first pieces are made before the head is sent: a fault up to there is an error answer, a
 *  later one breaks off. */
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

/** What HEAD gets where GET streams: nothing is read for a body that nobody gets, and its length is not known. */
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
