/** The projection over a MemoryRedis, with the same interface as over Redis. The caller decides how a pipeline runs. */
import type { TaskCommand } from '../../../src/model/records.ts';
import type { Answer, Projection } from '../../../src/projector/projection.ts';
import * as joiner from './joiner-scripts.ts';
import * as projector from './projector-scripts.ts';
import * as reads from './reads.ts';
import type { MemoryRedis } from './state.ts';

/** One call with several commands. Commands of others can run between them. Rejects if Redis does not answer. */
export type Pipeline = <T>(commands: (() => T)[]) => Promise<T[]>;

/** The same, but each command without an answer gets an error. */
export type TryAll = <T>(commands: (() => T)[]) => Promise<(T | Error)[]>;

export type MemoryProjectionOptions = {
  redis: MemoryRedis;
  settings: joiner.ClaimSettings & { retentionMs: number };
  decodeCommand(bytes: Buffer): TaskCommand;
  pipeline: Pipeline;
  tryAll: TryAll;
  /** Pub/sub; it may lose messages. */
  publish(oid: string): void;
  listen(listener: (oid: string) => void): () => void;
};

const COUNTS_MS = 60_000;
const AWAY = { ok: false, why: 'away' } as const;

export function memoryProjection(options: MemoryProjectionOptions): Projection {
  const { redis, settings, decodeCommand, pipeline, tryAll, publish, listen } = options;
  const one = async <T>(command: () => T): Promise<T> => (await pipeline([command]))[0] as T;
  const known = async <T extends object>(commands: (() => Answer<T>)[]): Promise<Answer<T>[]> =>
    (await tryAll(commands)).map((answer) => (answer instanceof Error ? AWAY : answer));
  /** null for each command without an answer; rejects if none has one. */
  const nullable = async <T>(commands: (() => T)[]): Promise<(T | null)[]> => {
    const answers = await tryAll(commands);
    const failed = answers.filter((answer) => answer instanceof Error);
    if (answers.length > 0 && failed.length === answers.length) throw failed[0];
    return answers.map((answer) => (answer instanceof Error ? null : answer));
  };
  return {
    begin: (oids) => nullable(oids.map((oid) => () => projector.begin(redis, oid))),
    attest: (requests) => known(requests.map((request) => () => projector.attest(redis, request))),
    apply: (requests) =>
      pipeline(requests.map((request) => () => projector.apply(redis, request, settings.retentionMs))),
    applyEvents: (requests) =>
      pipeline(requests.map((request) => () => projector.applyEvents(redis, request, settings.retentionMs))),
    narrow: (request) => one(() => projector.narrow(redis, request)),
    advance: async (requests) => {
      const answers = await nullable(requests.map((request) => () => projector.advance(redis, request)));
      return answers.map((answer) => answer ?? AWAY);
    },
    due: async (orgs, limit) =>
      (
        await nullable(
          orgs.map(
            ({ oid, epoch }) =>
              () =>
                projector.due(redis, oid, epoch, limit, settings.retentionMs),
          ),
        )
      ).flatMap((found) => found ?? []),
    announced: async (expired) => {
      await nullable(
        expired.map(
          ({ oid, taskId }) =>
            () =>
              redis.org(oid).announcing.delete(taskId),
        ),
      );
    },

    status: (oids) => nullable(oids.map((oid) => () => projector.status(redis, oid))),
    takeover: (oid, epoch, partition) => one(() => joiner.takeover(redis, oid, epoch, partition)),
    writeSensors: (requests) => known(requests.map((request) => () => joiner.rows(redis, request))),
    claim: async (rows, requests) => {
      const answers = await known<object>([
        ...rows.map((request) => () => joiner.rows(redis, request)),
        ...requests.map((request) => () => joiner.claim(redis, request, settings)),
      ]);
      return {
        rows: answers.slice(0, rows.length) as ReturnType<typeof joiner.rows>[],
        claims: answers.slice(rows.length) as ReturnType<typeof joiner.claim>[],
      };
    },
    recheck: (request) => one(() => joiner.recheck(redis, request, settings)),
    confirm: (requests) => known(requests.map((request) => () => joiner.confirm(redis, request))),
    ack: (requests) => known(requests.map((request) => () => joiner.ack(redis, request))),
    inFlight: (oid, epoch) => one(() => joiner.inFlight(redis, oid, epoch)),
    changes: (oid, epoch, version) => one(() => joiner.changes(redis, oid, epoch, version)),
    writeCounts: async (counts) => {
      await pipeline(
        counts.map(({ oid, taskId, partition, matched, online }) => () => {
          const found = redis.org(oid).counts;
          const rows = found.get(taskId)?.rows ?? new Map<number, [number, number]>();
          found.set(taskId, { rows: rows.set(partition, [matched, online]), expireAt: redis.now + COUNTS_MS });
        }),
      );
    },

    pendingIds: (oid, limit, after) => one(() => reads.page(redis.org(oid).pending, limit, after)),
    endedIds: (oid, limit, after) => one(() => reads.page(redis.org(oid).ended, limit, after)),
    readTasks: (oid, ids) => pipeline(ids.map((id) => () => reads.readTask(redis, oid, id, decodeCommand))),
    readDeliveries: (oid, taskId) => one(() => reads.readDeliveries(redis, oid, taskId)),
    readCounts: (oid, taskId) => one(() => reads.readCounts(redis, oid, taskId)),
    countDeliveries: (oid, taskIds) => one(() => taskIds.map((id) => reads.countDeliveries(redis, oid, id))),
    readDelivery: (oid, taskId, sid) => one(() => reads.readDeliveries(redis, oid, taskId).get(sid) ?? null),
    scanFacts: (oid, partition) =>
      one(() => ({ sensors: reads.readFacts(redis, oid, partition), next: null as string | null })),
    scanSensors: async (oid, partition) => {
      const sids = await one(() => reads.readFacts(redis, oid, partition).map(({ sid }) => sid));
      const sensors = await one(() => reads.readSensors(redis, oid, partition, sids));
      return { sensors: sensors.filter((sensor) => sensor !== null), next: null };
    },
    readPresence: (oid, partition, sids) => one(() => reads.readPresence(redis, oid, partition, sids)),
    readSensors: (oid, partition, sids) => one(() => reads.readSensors(redis, oid, partition, sids)),
    hint: (oids) => void tryAll(oids.map((oid) => () => publish(oid))),
    onHint: listen,
    ping: async () => {
      await one(() => undefined);
    },
    stop: async () => undefined,
  };
}
