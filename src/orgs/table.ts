/**
 * The orgs, folded from `org-settings`: names, subscription periods, keys. Every process holds the whole table. A later record of the log
 * wins, a tombstone deletes. No I/O.
 */
import { createHash } from 'node:crypto';
import type { OrgSetting } from '../model/records.ts';

/** Unix ms; without `to` the period has not ended. */
export type Period = { from: number; to?: number };

export type ApiKey = {
  oid: string;
  name: string;
  /** Hex SHA-256 of the key; the key itself is shown once and never stored. */
  hash: string;
  perms: string[];
  /** A user key has access to several orgs under one user id. */
  uid?: string;
  expiresAtMs?: number;
};

/** `name` is null if the org does not exist yet; other settings of it may be on the log before. */
type Org = { name: string | null; sinceMs: number; periods: Period[]; keys: Map<string, ApiKey> };

export const EXTENSION = 'ext-reliable-tasking';

export const hashOfKey = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export const settingKey = (oid: string, kind: OrgSetting['kind'], name: string): string => `${oid}/${kind}/${name}`;

export class OrgTable {
  readonly #orgs = new Map<string, Org>();
  /** A user key is in several orgs with one hash. */
  readonly #keysByHash = new Map<string, Set<ApiKey>>();
  readonly #listeners = new Set<() => void>();

  /** Applies one record of `org-settings`; `setting` null is the tombstone of `key`. Malformed values change nothing. */
  apply(key: string, setting: OrgSetting | null): void {
    const [oid, kind, ...rest] = key.split('/');
    const name = rest.join('/');
    if (!oid || !kind) return;
    const org = this.#orgs.get(oid) ?? { name: null, sinceMs: 0, periods: [], keys: new Map() };
    const value = setting === null ? null : parseObject(setting.value);
    if (setting !== null && value === null) return;
    if (kind === 'ORG') {
      if (org.name === null && setting !== null) org.sinceMs = setting.updated_at;
      org.name = value === null ? null : textOf(value.name);
    } else if (kind === 'SUBSCRIPTION' && name === EXTENSION) org.periods = periodsOf(value);
    else if (kind === 'API_KEY') this.#setKey(org, name, value === null ? null : apiKeyOf(oid, name, value));
    else return;
    this.#orgs.set(oid, org);
    for (const listener of this.#listeners) listener();
  }

  #setKey({ keys }: Org, name: string, key: ApiKey | null): void {
    const before = keys.get(name);
    if (before) {
      const same = this.#keysByHash.get(before.hash);
      same?.delete(before);
      if (same?.size === 0) this.#keysByHash.delete(before.hash);
    }
    if (key === null) {
      keys.delete(name);
      return;
    }
    keys.set(name, key);
    const same = this.#keysByHash.get(key.hash) ?? new Set();
    this.#keysByHash.set(key.hash, same.add(key));
  }

  /** Calls `listener` after each change. Returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  known(oid: string): boolean {
    return this.nameOf(oid) !== null;
  }

  /** The name of the org; "" if it has none, null if the org does not exist. */
  nameOf(oid: string): string | null {
    return this.#orgs.get(oid)?.name ?? null;
  }

  /** When the org was created (Unix ms), or created again after it was deleted: older records do not belong to it. */
  sinceMs(oid: string): number {
    return this.#orgs.get(oid)?.sinceMs ?? 0;
  }

  /** All orgs that exist. */
  all(): string[] {
    return [...this.#orgs].filter(([, org]) => org.name !== null).map(([oid]) => oid);
  }

  subscribed(oid: string, atMs: number): boolean {
    const periods = this.#orgs.get(oid)?.periods ?? [];
    return periods.some((period) => period.from <= atMs && (period.to === undefined || atMs < period.to));
  }

  /** All subscription periods of the org, as stored. */
  periods(oid: string): readonly Period[] {
    return this.#orgs.get(oid)?.periods ?? [];
  }

  /** Orgs that exist and were subscribed at some time: only these can have tasks. */
  oids(): string[] {
    return [...this.#orgs].filter(([, org]) => org.name !== null && org.periods.length > 0).map(([oid]) => oid);
  }

  /** When the org first subscribed (Unix ms): it has no older tasks. */
  firstSubscribedAtMs(oid: string): number {
    return Math.min(...(this.#orgs.get(oid)?.periods ?? []).map((period) => period.from), Number.MAX_SAFE_INTEGER);
  }

  /** Every key of the org, expired ones included. */
  keys(oid: string): Iterable<ApiKey> {
    return this.#orgs.get(oid)?.keys.values() ?? [];
  }

  /** The keys with this hash and user (not given: keys of orgs) in orgs that exist, by oid, without expired ones. */
  keysWith({ hash, uid }: Pick<ApiKey, 'hash' | 'uid'>, nowMs: number): ApiKey[] {
    return [...(this.#keysByHash.get(hash) ?? [])]
      .filter((key) => key.uid === uid && this.known(key.oid) && isLive(key, nowMs))
      .sort((a, b) => (a.oid < b.oid ? -1 : 1));
  }

  /** The key of the same user in another org. */
  keyLike({ hash, uid }: ApiKey, oid: string): ApiKey | undefined {
    return [...(this.#keysByHash.get(hash) ?? [])].find((key) => key.oid === oid && key.uid === uid);
  }

  /** The key of this org with this secret, unless it has expired. */
  findKey(oid: string, secret: string, nowMs: number): ApiKey | undefined {
    const same = this.#keysByHash.get(hashOfKey(secret)) ?? [];
    return [...same].find((key) => key.oid === oid && isLive(key, nowMs));
  }
}

export const isLive = ({ expiresAtMs }: ApiKey, nowMs: number): boolean =>
  expiresAtMs === undefined || nowMs < expiresAtMs;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A JSON object, or null for any other text. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** The periods in the value of a subscription; other values are ignored. */
export function periodsOf(value: Record<string, unknown> | null): Period[] {
  const periods: unknown = value?.periods;
  if (!Array.isArray(periods)) return [];
  return periods.filter((period): period is Period => typeof period?.from === 'number');
}

function apiKeyOf(oid: string, name: string, value: Record<string, unknown>): ApiKey {
  return {
    oid,
    name,
    hash: String(value.hash ?? ''),
    perms: Array.isArray(value.perms) ? value.perms.map(String) : [],
    ...(typeof value.uid === 'string' ? { uid: value.uid } : {}),
    ...(typeof value.expires_at === 'number' ? { expiresAtMs: value.expires_at } : {}),
  };
}
