/** What the projector asks of the projection: rebuild, apply, and the end of tasks that expire. */
import type { ApplyCommand, Projection } from '../../../projector/projection.ts';
import { answerOf, pairsOf, refusalOf, statusOf } from '../answers.ts';
import { type Command, type RedisClient, someOf } from '../client.ts';
import { COMMAND_LETTERS, EVENT_LETTERS, keys, NO_DETAIL, nameOf, OUTCOME_LETTERS } from '../layout.ts';

const ANNOUNCE_LEASE_MS = 10_000;

type Part = Pick<Projection, 'begin' | 'attest' | 'apply' | 'applyEvents' | 'narrow' | 'advance' | 'due' | 'announced'>;

export function projectorPart(redis: RedisClient, settings: { retentionMs: number }): Part {
  const { retentionMs } = settings;
  const taskKeys = (oid: string) => [keys.marker(oid), keys.pending(oid), keys.ended(oid), keys.log(oid)];
  return {
    begin: async (oids) => {
      const replies = await someOf(
        redis,
        oids.map((oid) => redis.script(oid, 'begin', [keys.marker(oid)], [])),
      );
      return replies.map(statusOf);
    },
    attest: async (requests) => {
      const replies = await redis.tryAll(
        requests.map(({ oid, epoch, kind, partition, nextOffset, total }) =>
          redis.script(oid, 'attest', [keys.marker(oid)], [epoch, kind, partition, nextOffset, total]),
        ),
      );
      return replies.map((reply) => answerOf(reply, () => ({})));
    },
    apply: async (requests) => {
      const untasked = requests.flatMap(({ oid, commands }) =>
        commands.flatMap(({ op, taskId }) => (op === 'untask' ? [{ oid, taskId }] : [])),
      );
      const replies = await redis.pipeline([
        ...requests.map(({ oid, epoch, partition, nextOffset, commands }) =>
          redis.script(
            oid,
            'apply',
            [...taskKeys(oid), ...commands.flatMap(({ taskId }) => [keys.task(oid, taskId), keys.record(oid, taskId)])],
            [epoch, partition, nextOffset, retentionMs, ...commands.flatMap(commandArgs)],
          ),
        ),
        ...untasked.map(({ oid, taskId }) =>
          redis.script(oid, 'expire-with', [keys.record(oid, taskId), keys.responses(oid, taskId)], []),
        ),
      ]);
      return replies.slice(0, requests.length).map((reply) =>
        answerOf(reply, ([letters, expiries]) => ({
          outcomes: [...String(letters)].map((letter) => nameOf(OUTCOME_LETTERS, letter)),
          expiriesMs: (expiries as string[]).map((text) => (text === '' ? null : Number(text))),
        })),
      );
    },
    applyEvents: async (requests) => {
      const replies = await redis.pipeline(
        requests.map(({ oid, epoch, partition, nextOffset, events }) =>
          redis.script(
            oid,
            'events',
            [...taskKeys(oid), ...events.flatMap(({ taskId }) => [keys.task(oid, taskId), keys.record(oid, taskId)])],
            [
              epoch,
              partition,
              nextOffset,
              retentionMs,
              ...events.flatMap((event) => [
                EVENT_LETTERS[event.type],
                event.taskId,
                event.sid,
                event.attempt,
                event.atMs,
                event.expiresAtMs,
                event.extra || NO_DETAIL,
              ]),
            ],
          ),
        ),
      );
      return replies.map((reply) => answerOf(reply, () => ({})));
    },
    narrow: async ({ oid, epoch, partition, offset, taskId, sids, atMs }) => {
      const args = [epoch, partition, offset, atMs, ...sids];
      const [reply] = await redis.pipeline([
        redis.script(oid, 'narrow', [keys.marker(oid), keys.record(oid, taskId)], args),
      ]);
      return answerOf(reply, ([withdrawn]) => ({ sids: (withdrawn as string[]).map(String) }));
    },
    advance: async (requests) => {
      const replies = await someOf(
        redis,
        requests.map(({ oid, epoch, kind, partition, nextOffset }) =>
          redis.script(oid, 'advance', [keys.marker(oid)], [epoch, `${kind}:${partition}`, nextOffset]),
        ),
      );
      return replies.map((reply) => answerOf(reply, () => ({})));
    },
    due: (orgs, limit) => due(redis, orgs, limit, retentionMs),
    announced: async (expired) => {
      // A task that stays here is announced once more, under the same event id.
      await someOf(
        redis,
        expired.map(({ oid, taskId }) => ({ oid, name: 'zrem', args: [keys.announcing(oid), taskId] })),
      );
    },
  };
}

const commandArgs = (command: ApplyCommand): (string | number | Buffer)[] =>
  command.op === 'task'
    ? [
        command.offset,
        command.doneWhenSent ? COMMAND_LETTERS.doneWhenSent : COMMAND_LETTERS.task,
        command.taskId,
        command.appendedAtMs,
        command.expiresAtMs,
        command.contentHash,
        command.bytes,
      ]
    : [command.offset, COMMAND_LETTERS.untask, command.taskId, command.appendedAtMs, '', '', ''];

/** Two pipelines whatever the number of orgs: what may be due, then the scripts that decide. Both by the clock of Redis. */
async function due(redis: RedisClient, orgs: { oid: string; epoch: string }[], limit: number, retentionMs: number) {
  const found = await someOf(
    redis,
    orgs.map(({ oid }) =>
      redis.script(oid, 'look', [keys.pending(oid), keys.announcing(oid), keys.ended(oid)], [limit]),
    ),
  );
  const scripts: Command[] = [];
  for (const [i, { oid, epoch }] of orgs.entries()) {
    const ids = found[i] instanceof Error ? [] : [...new Set((found[i] as string[][]).flat())];
    if (ids.length === 0) continue;
    const all = [
      keys.marker(oid),
      keys.pending(oid),
      keys.ended(oid),
      keys.announcing(oid),
      keys.log(oid),
      ...ids.map((id) => keys.record(oid, id)),
    ];
    scripts.push(redis.script(oid, 'due', all, [epoch, ANNOUNCE_LEASE_MS, retentionMs, ...ids]));
  }
  const replies = await someOf(redis, scripts);
  return replies.flatMap((reply, i) => {
    if (refusalOf(reply)) return [];
    const oid = (scripts[i] as Command).oid;
    return pairsOf((reply as unknown[])[1], (taskId, expiry) => ({ oid, taskId, expiresAtMs: Number(expiry) }));
  });
}
