/** The projection over a MemoryRedis: the same interface as over Redis, each trip as its owner carries it out. */
import type { TaskCommand } from '../../../src/model/records.ts';
import type { Projection } from '../../../src/projection/store.ts';
import * as joiner from './joiner-scripts.ts';
import * as projector from './projector-scripts.ts';
import * as reads from './reads.ts';
import type { MemoryRedis } from './state.ts';

/** One round trip of several commands; others may come in between two of them. Rejects where Redis does not answer. */
export type Trip = <T>(commands: (() => T)[]) => Promise<T[]>;

export type MemoryProjectionOptions = {
  redis: MemoryRedis;
  settings: joiner.ClaimSettings & { retentionMs: number };
  decodeCommand(bytes: Buffer): TaskCommand;
  trip: Trip;
  /** Pub/sub, as lossy as its owner likes. */
  publish(oid: string): void;
  listen(listener: (oid: string) => void): () => void;
};

const COUNTS_MS = 60_000;

export function memoryProjection(options: MemoryProjectionOptions): Projection {
  const { redis, settings, decodeCommand, trip, publish, listen } = options;
  const one = async <T>(command: () => T): Promise<T> => (await trip([command]))[0] as T;
  return {
    begin: (oids) => trip(oids.map((oid) => () => projector.begin(redis, oid))),
    attest: (...args) => one(() => projector.attest(redis, ...args)),
    apply: (requests) => trip(requests.map((request) => () => projector.apply(redis, request, settings.retentionMs))),
    applyEvents: (requests) =>
      trip(requests.map((request) => () => projector.applyEvents(redis, request, settings.retentionMs))),
    narrow: (request) => one(() => projector.narrow(redis, request)),
    advance: async (requests) => {
      await trip(requests.map((request) => () => projector.advance(redis, request)));
    },
    due: async (orgs, limit) =>
      (
        await trip(
          orgs.map(
            ({ oid, epoch }) =>
              () =>
                projector.due(redis, oid, epoch, limit, settings.retentionMs),
          ),
        )
      ).flat(),
    announced: async (expired) => {
      await trip(
        expired.map(
          ({ oid, taskId }) =>
            () =>
              redis.org(oid).announcing.delete(taskId),
        ),
      );
    },

    status: (oids) => trip(oids.map((oid) => () => projector.status(redis, oid))),
    takeover: (oid, epoch, partition) => one(() => joiner.takeover(redis, oid, epoch, partition)),
    writeSensors: (requests) => trip(requests.map((request) => () => joiner.rows(redis, request))),
    claim: async (rows, requests) => {
      const answers = await trip<unknown>([
        ...rows.map((request) => () => joiner.rows(redis, request)),
        ...requests.map((request) => () => joiner.claim(redis, request, settings)),
      ]);
      return {
        rows: answers.slice(0, rows.length) as ReturnType<typeof joiner.rows>[],
        claims: answers.slice(rows.length) as ReturnType<typeof joiner.claim>[],
      };
    },
    recheck: (request) => one(() => joiner.recheck(redis, request, settings)),
    confirm: async (requests) => {
      await trip(requests.map((request) => () => joiner.confirm(redis, request)));
    },
    ack: (requests) => trip(requests.map((request) => () => joiner.ack(redis, request))),
    inFlight: (oid, epoch) => one(() => joiner.inFlight(redis, oid, epoch)),
    clearInFlight: async (oid, epoch, batches) => {
      await trip(batches.map((batch) => () => joiner.confirm(redis, { oid, epoch, batch, tasks: [] })));
    },
    changes: (oid, epoch, version) => one(() => joiner.changes(redis, oid, epoch, version)),
    writeCounts: async (counts) => {
      await trip(
        counts.map(({ oid, taskId, partition, matched, online }) => () => {
          const found = redis.org(oid).counts;
          const rows = found.get(taskId)?.rows ?? new Map<number, [number, number]>();
          found.set(taskId, { rows: rows.set(partition, [matched, online]), expireAt: redis.now + COUNTS_MS });
        }),
      );
    },

    pendingIds: (oid, limit, after) => one(() => reads.page(redis.org(oid).pending, limit, after)),
    endedIds: (oid, limit, after) => one(() => reads.page(redis.org(oid).ended, limit, after)),
    readTasks: (oid, ids) => trip(ids.map((id) => () => reads.readTask(redis, oid, id, decodeCommand))),
    readPairs: (oid, taskId) => one(() => reads.readPairs(redis, oid, taskId)),
    readCounts: (oid, taskId) => one(() => reads.readCounts(redis, oid, taskId)),
    scanSensors: (oid, partition) =>
      one(() => ({ sensors: reads.scanSensors(redis, oid, partition), next: null as string | null })),
    hint: async (oids) => {
      await trip(oids.map((oid) => () => publish(oid)));
    },
    onHint: listen,
    ping: async () => {
      await one(() => undefined);
    },
    stop: async () => undefined,
  };
}
