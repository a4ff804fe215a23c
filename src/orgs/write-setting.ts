/**
 * Writes settings so that exactly one of several writers with the same etag wins, across all processes:
 *   claim the name in Redis -> learn the etag -> decide -> produce -> settle the claim -> wait until the fold shows it.
 *  - The log is the truth. The etag in Redis counts only if the fold of this process has the same; otherwise the log is read to its end
 *    while the name is claimed. So a Redis that lost or restored its data decides nothing.
 *  - A claim is a lease: a writer that died blocks others only until the lease ends. A produce starts only in the first part of the lease
 *    and is never retried after it. Not prevented: a process that is paused, or a broker that hangs, after that check.
 *  - Writers without an etag claim the name too: they wait for their turn and then write over any value.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../async/clock.ts';
import { unavailable } from '../errors.ts';
import type { OrgSetting } from '../model/records.ts';
import { checkWrite, etagMismatch, type Settings, type SettingsTable, type SettingWrite } from './settings.ts';
import { settingKey } from './table.ts';

export type SettingClaims = {
  /** Claims the name for `leaseMs`. `busyMs`: another writer holds it for so long. `etag`: the etag that the last writer settled; null if
   *  unknown: the writer died, or Redis has lost it. */
  claim(
    oid: string,
    claimName: string,
    token: string,
    leaseMs: number,
  ): Promise<{ busyMs: number } | { etag: string | null }>;
  /** Ends the claim, if `token` still holds it. null: the etag is unknown. */
  settle(oid: string, claimName: string, token: string, etag: string | null): Promise<void>;
};

export type SettingWriterParts = {
  table: SettingsTable;
  claims: SettingClaims;
  /** Tries once; resolves when the record (null: the tombstone) is on the log with all replicas. */
  append(key: string, setting: OrgSetting | null): Promise<void>;
  /** Reads the log into the table, at least to its end at the time of the call. */
  refresh(): Promise<void>;
  clock: Pick<Clock, 'nowMs' | 'monoMs' | 'delay'>;
};

/** Longer than a produce that started in time can take. */
const LEASE_MS = 20_000;
const PRODUCE_WITHIN_MS = 4_000;
/** How long a writer waits for its turn, and for the fold. */
const WAIT_MAX_MS = 5_000;
const ASK_AGAIN_MS = 20;
const PRODUCE_AGAIN_MS = 100;

export function createSettings(parts: SettingWriterParts): Settings {
  const { table } = parts;
  return {
    get: (oid, kind, name) => table.get(oid, kind, name),
    list: (oid, kind) => table.list(oid, kind),
    onChange: (listener) => table.onChange(listener),
    refresh: () => readToEnd(parts),
    write: async (write) => {
      const text = checkWrite(write);
      const turn = await takeTurn(parts, write);
      const etag = text === null ? '' : randomUUID();
      await mayWrite(parts, write, turn);
      await produce(parts, write, turn, text, etag);
      await turn.settle(etag);
      await readToEnd(parts);
      return etag;
    },
  };
}

type Turn = { sinceMs: number; known: string | null; settle(etag: string | null): Promise<void> };

/** Resolves when the name is claimed. */
async function takeTurn({ claims, clock }: SettingWriterParts, { oid, kind, name }: SettingWrite): Promise<Turn> {
  const claimName = `${kind}/${name}`;
  const token = randomUUID();
  const waitUntilMs = clock.monoMs() + WAIT_MAX_MS;
  for (;;) {
    const sinceMs = clock.monoMs();
    const answer = await claims.claim(oid, claimName, token, LEASE_MS);
    if (!('busyMs' in answer)) {
      // A claim that is not ended expires. Other writers wait until then, and then read the log.
      const settle = (etag: string | null) => claims.settle(oid, claimName, token, etag).catch(() => undefined);
      return { sinceMs, known: answer.etag, settle };
    }
    if (clock.monoMs() >= waitUntilMs) throw unavailable('Another writer holds this setting.');
    await clock.delay(Math.min(answer.busyMs, ASK_AGAIN_MS));
  }
}

/** Rejects, and ends the claim, if the setting has changed since the writer read it. */
async function mayWrite(parts: SettingWriterParts, write: SettingWrite, turn: Turn): Promise<void> {
  const { oid, kind, name, ifEtag } = write;
  const etagNow = () => parts.table.get(oid, kind, name)?.etag ?? '';
  if (turn.known !== etagNow()) {
    await readToEnd(parts).catch(async (error: unknown) => {
      await turn.settle(null);
      throw error;
    });
  }
  if (ifEtag === undefined || ifEtag === etagNow()) return;
  await turn.settle(etagNow());
  throw etagMismatch(name, etagNow());
}

/** A failed produce is repeated only while the claim is certain. Its result is unknown, so the claim stays. */
async function produce(
  { clock, append }: SettingWriterParts,
  { oid, kind, name, by }: SettingWrite,
  { sinceMs }: Turn,
  text: string | null,
  etag: string,
): Promise<void> {
  const setting: OrgSetting | null =
    text === null ? null : { oid, kind, name, etag, value: text, updated_at: clock.nowMs(), updated_by: by };
  let cause: unknown;
  while (clock.monoMs() - sinceMs < PRODUCE_WITHIN_MS) {
    try {
      return await append(settingKey(oid, kind, name), setting);
    } catch (error) {
      cause = error;
      await clock.delay(PRODUCE_AGAIN_MS);
    }
  }
  throw unavailable('Kafka did not accept the setting.', cause);
}

/** If Kafka is unavailable, a caller must not wait for ever. */
async function readToEnd({ refresh, clock }: SettingWriterParts): Promise<void> {
  let done = false;
  const late = clock.delay(WAIT_MAX_MS).then(() => {
    if (!done) throw unavailable('Kafka did not answer in time.');
  });
  late.catch(() => undefined);
  const reading = refresh().catch((cause: unknown) => {
    throw unavailable('Kafka did not answer.', cause);
  });
  await Promise.race([reading, late]).finally(() => {
    done = true;
  });
}
