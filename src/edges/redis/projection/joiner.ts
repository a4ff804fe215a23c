/** What the joiner asks of the projection: ownership, claims, receipts, sensors, and the tail of changes. */
import type {
  AckWord,
  Answer,
  ClaimRequest,
  ClaimWord,
  Projection,
  SensorRows,
  TaskChange,
} from '../../../projector/projection.ts';
import { answerOf, inFlightOf, statusOf } from '../answers.ts';
import { type Command, type RedisClient, someOf } from '../client.ts';
import { ACK_LETTERS, CHANGE_LETTERS, CLAIM_LETTERS, DELIVERY_LETTERS, keys, NO_DETAIL, nameOf } from '../layout.ts';
import { writePresence } from '../presence-row.ts';

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
              ...acks.flatMap(({ sid, state, code }) => [sid, DELIVERY_LETTERS[state], code || NO_DETAIL]),
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
      text === CLAIM_LETTERS.gone
        ? (request.tasks[i]?.deliveries ?? []).map(() => ({ word: 'gone' }))
        : text.split(' ').map(readClaim),
    ),
  }));
}

function readClaim(text: string): ClaimWord {
  const [letter, number] = [nameOf(CLAIM_LETTERS, text[0] ?? ''), Number(text.slice(1))];
  switch (letter) {
    case 'claimed':
      return { word: 'claimed', attempt: number };
    case 'again':
      return { word: 'claimed', attempt: number, again: true };
    case 'wait':
      return { word: 'wait', untilMs: number };
    case 'settled':
    case 'gone':
      return { word: letter };
  }
}

function readAck(text: string): AckWord {
  const [letter = '', state = '', attempt, at, code, expiry] = text.split(' ');
  const word = nameOf(ACK_LETTERS, letter);
  if (word === 'gone') return { word };
  return {
    word,
    state: nameOf(ANSWERED_LETTERS, state),
    attempt: Number(attempt),
    atMs: Number(at),
    code: code ?? NO_DETAIL,
    expiresAtMs: Number(expiry),
  };
}

const ANSWERED_LETTERS = { done: DELIVERY_LETTERS.done, failed: DELIVERY_LETTERS.failed };

const readChange = (entry: string): TaskChange => ({
  kind: nameOf(CHANGE_LETTERS, entry[0] ?? ''),
  taskId: entry.slice(1),
});
