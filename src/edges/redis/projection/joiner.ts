/** The joiner's side of the projection: ownership, claims, acks, sensors, and the tail of changes. */
import type {
  AckWord,
  Answer,
  ClaimRequest,
  ClaimWord,
  Projection,
  SensorRows,
  TaskChange,
} from '../../projector/projection.ts';
import { answerOf, inFlightOf, statusOf, writePresence } from './answers.ts';
import { type Command, type RedisClient, someOf } from './client.ts';
import { keys } from './layout.ts';

export type ClaimSettings = { leaseMs: number; marginMs: number; firstBackoffMs: number; maxBackoffMs: number };

type Part = Pick<
  Projection,
  | 'status'
  | 'takeover'
  | 'writeSensors'
  | 'claim'
  | 'recheck'
  | 'confirm'
  | 'ack'
  | 'inFlight'
  | 'changes'
  | 'writeCounts'
>;

const COUNTS_SECONDS = 60;

export function joinerPart(redis: RedisClient, settings: ClaimSettings): Part {
  const one = async (command: Command): Promise<unknown> => (await redis.pipeline([command]))[0];
  const done = (reply: unknown): Answer<object> => answerOf(reply, () => ({}));
  return {
    status: async (oids) => {
      const replies = await someOf(
        redis,
        oids.map((oid) => redis.script(oid, 'status', [keys.marker(oid)], [])),
      );
      return replies.map(statusOf);
    },
    takeover: async (oid, epoch, partition) => {
      const reply = await one(
        redis.script(oid, 'takeover', [keys.marker(oid), keys.inFlight(oid)], [epoch, partition]),
      );
      return answerOf(reply, ([fencingToken, next, now, mine]) => ({
        fencingToken: String(fencingToken),
        nextOffset: next === '' ? null : Number(next),
        nowMs: Number(now),
        inFlight: inFlightOf(mine),
      }));
    },
    writeSensors: async (requests) => (await redis.tryAll(requests.map((rows) => rowsCommand(redis, rows)))).map(done),
    claim: async (rows, requests) => {
      const commands = [
        ...rows.map((request) => rowsCommand(redis, request)),
        ...requests.map((request) => claimCommand(redis, request, settings)),
      ];
      const replies = await redis.tryAll(commands);
      return {
        rows: replies.slice(0, rows.length).map(done),
        claims: replies.slice(rows.length).map((reply, i) => readClaims(reply, requests[i] as ClaimRequest)),
      };
    },
    recheck: async ({ oid, epoch, partition, fencingToken, batch, tasks }) => {
      const reply = await one(
        redis.script(
          oid,
          'recheck',
          [keys.marker(oid), keys.inFlight(oid), ...tasks.map(({ taskId }) => keys.record(oid, taskId))],
          [
            epoch,
            partition,
            fencingToken,
            settings.leaseMs,
            settings.marginMs,
            batch,
            ...tasks.map(({ sids }) => sids.join(' ')),
          ],
        ),
      );
      return answerOf(reply, ([now, bits]) => ({
        nowMs: Number(now),
        kept: (bits as string[]).map((text) => [...text].map((bit) => bit === '1')),
      }));
    },
    confirm: async (requests) => {
      const replies = await redis.tryAll(
        requests.map(({ oid, epoch, batch, tasks }) =>
          redis.script(
            oid,
            'confirm',
            [keys.marker(oid), keys.inFlight(oid), ...tasks.map(({ taskId }) => keys.record(oid, taskId))],
            [
              epoch,
              batch,
              ...tasks.flatMap((task) => [task.dropped, task.kept, task.done].map((sids) => sids.join(' '))),
            ],
          ),
        ),
      );
      return replies.map(done);
    },
    ack: async (requests) => {
      const replies = await redis.tryAll(
        requests.map(({ oid, epoch, partition, fencingToken, acks }) =>
          redis.script(
            oid,
            'ack',
            [keys.marker(oid), keys.inFlight(oid), ...acks.map(({ taskId }) => keys.record(oid, taskId))],
            [
              epoch,
              partition,
              fencingToken,
              ...acks.flatMap(({ sid, state, code }) => [sid, state === 'done' ? 'd' : 'f', code || '0']),
            ],
          ),
        ),
      );
      return replies.map((reply) =>
        answerOf(reply, ([now, words, wait]) => ({
          nowMs: Number(now),
          words: (words as string[]).map(readAck),
          waitFor: inFlightOf(wait),
        })),
      );
    },
    inFlight: async (oid, epoch) => {
      const reply = await one(redis.script(oid, 'inflight', [keys.marker(oid), keys.inFlight(oid)], [epoch]));
      return answerOf(reply, ([now, entries]) => ({ nowMs: Number(now), entries: inFlightOf(entries) }));
    },
    changes: async (oid, epoch, version) => {
      const reply = await one(redis.script(oid, 'changes', [keys.marker(oid), keys.log(oid)], [epoch, version]));
      return answerOf(reply, ([now, entries]) => ({
        version: Number(now),
        changes: entries === undefined ? 'reload' : (entries as string[]).map(readChange),
      }));
    },
    writeCounts: async (counts) => {
      await redis.pipeline(
        counts.flatMap(({ oid, taskId, partition, matched, online }) => [
          { oid, name: 'hset', args: [keys.counts(oid, taskId), partition, `${matched} ${online}`] },
          { oid, name: 'expire', args: [keys.counts(oid, taskId), COUNTS_SECONDS] },
        ]),
      );
    },
  };
}

function rowsCommand(
  redis: RedisClient,
  { oid, epoch, partition, fencingToken, nextOffset, live, replace, facts, presence, forgotten }: SensorRows,
): Command {
  return redis.script(
    oid,
    'rows',
    [keys.marker(oid), keys.facts(oid, partition), keys.presence(oid, partition)],
    [
      epoch,
      partition,
      fencingToken,
      nextOffset,
      live ? 1 : 0,
      replace ? 1 : 0,
      facts.length,
      presence.length,
      ...facts.flatMap(({ sid, bytes }) => [sid, bytes]),
      ...presence.flatMap(({ sid, row }) => [sid, writePresence(row)]),
      ...forgotten,
    ],
  );
}

function claimCommand(
  redis: RedisClient,
  { oid, epoch, partition, fencingToken, batch, tasks }: ClaimRequest,
  settings: ClaimSettings,
): Command {
  return redis.script(
    oid,
    'claim',
    [keys.marker(oid), keys.inFlight(oid), ...tasks.map(({ taskId }) => keys.record(oid, taskId))],
    [
      epoch,
      partition,
      fencingToken,
      settings.leaseMs,
      settings.marginMs,
      settings.firstBackoffMs,
      settings.maxBackoffMs,
      batch,
      ...tasks.map(({ deliveries }) =>
        deliveries.map(({ sid, connectionHash }) => `${sid} ${connectionHash}`).join(' '),
      ),
    ],
  );
}

function readClaims(reply: unknown, request: ClaimRequest) {
  return answerOf(reply, ([version, now, answers]) => ({
    version: Number(version),
    nowMs: Number(now),
    words: (answers as string[]).map((text, i): ClaimWord[] =>
      text === 'G'
        ? (request.tasks[i]?.deliveries ?? []).map(() => ({ word: 'gone' }))
        : text.split(' ').map(readClaim),
    ),
  }));
}

function readClaim(text: string): ClaimWord {
  if (text[0] === 'c') return { word: 'claimed', attempt: Number(text.slice(1)) };
  if (text[0] === 'k') return { word: 'claimed', attempt: Number(text.slice(1)), again: true };
  if (text[0] === 'w') return { word: 'wait', untilMs: Number(text.slice(1)) };
  return { word: 'settled' };
}

function readAck(text: string): AckWord {
  if (text === 'G') return { word: 'gone' };
  const [order, state, attempt, at, code, expiry] = text.split(' ');
  return {
    word: order === 'n' ? 'first' : 'repeat',
    state: state === 'd' ? 'done' : 'failed',
    attempt: Number(attempt),
    atMs: Number(at),
    code: code ?? '0',
    expiresAtMs: Number(expiry),
  };
}

const readChange = (entry: string): TaskChange => ({
  kind: entry[0] === '+' ? 'added' : 'removed',
  taskId: entry.slice(1),
});
