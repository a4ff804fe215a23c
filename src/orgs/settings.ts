/**
 * The settings of all orgs, folded from `org-settings`, and the rules for writing them. Every process holds all of them. A later record
 * of the log wins, a tombstone deletes, a value that is not a JSON object changes nothing. No I/O.
 */
import { ApiError } from '../errors.ts';
import { isUuid } from '../model/ids.ts';
import type { OrgSetting, SettingKind } from '../model/records.ts';
import { parseObject } from './table.ts';

export type StoredSetting = {
  oid: string;
  kind: SettingKind;
  name: string;
  etag: string;
  value: Record<string, unknown>;
  /** Characters of the value's text. */
  size: number;
  updatedAtMs: number;
  updatedBy: string;
};

export type SettingWrite = {
  oid: string;
  kind: SettingKind;
  name: string;
  /** null deletes. */
  value: Record<string, unknown> | null;
  by: string;
  /** Writes only if this is the etag now; '': the setting must not exist. */
  ifEtag?: string;
};

export type SettingListener = (oid: string, kind: SettingKind, name: string) => void;

/** Reads and writes settings; roles and API write them only here. */
export interface Settings {
  get(oid: string, kind: SettingKind, name: string): StoredSetting | undefined;
  /** Sorted by name. */
  list(oid: string, kind: SettingKind): StoredSetting[];
  /** Resolves with the new etag ('' after a deletion) when the setting is on the log and `get` returns it. Rejects with
   *  `etag_mismatch`, `setting_invalid`, `setting_too_large`, or `unavailable`: then it may still have been written. */
  write(write: SettingWrite): Promise<string>;
  /** Resolves when `get` and `list` return everything that was on the log at the call. Rejects with `unavailable`. */
  refresh(): Promise<void>;
  /** Calls `listener` after each change by any process. Returns the function that stops it. */
  onChange(listener: SettingListener): () => void;
}

/** A broker takes 1 MiB a record by default; the rest of the record needs little. */
export const VALUE_MAX_BYTES = 900_000;
export const NAME_MAX_BYTES = 512;

const KINDS: readonly SettingKind[] = ['ORG', 'SUBSCRIPTION', 'API_KEY', 'ENROLLMENT_KEY', 'HIVE', 'OUTPUT'];

type OfKind = { byName: Map<string, StoredSetting>; sorted: StoredSetting[] | null };

export class SettingsTable implements Pick<Settings, 'get' | 'list' | 'onChange'> {
  /** By `oid/kind`. */
  readonly #kinds = new Map<string, OfKind>();
  readonly #listeners = new Set<SettingListener>();

  /** Applies one record of `org-settings`; `setting` null is the tombstone of `key`. */
  apply(key: string, setting: OrgSetting | null): void {
    const [oid = '', kindText, ...rest] = key.split('/');
    const kind = KINDS.find((known) => known === kindText);
    const name = rest.join('/');
    if (kind === undefined || oid === '' || name === '') return;
    const value = setting === null ? null : parseObject(setting.value);
    if (setting !== null && value === null) return;
    const kindKey = `${oid}/${kind}`;
    const found = this.#kinds.get(kindKey) ?? { byName: new Map(), sorted: null };
    if (setting === null || value === null) found.byName.delete(name);
    else found.byName.set(name, storedOf(oid, kind, name, setting, value));
    found.sorted = null;
    if (found.byName.size === 0) this.#kinds.delete(kindKey);
    else this.#kinds.set(kindKey, found);
    for (const listener of this.#listeners) listener(oid, kind, name);
  }

  get(oid: string, kind: SettingKind, name: string): StoredSetting | undefined {
    return this.#kinds.get(`${oid}/${kind}`)?.byName.get(name);
  }

  list(oid: string, kind: SettingKind): StoredSetting[] {
    const found = this.#kinds.get(`${oid}/${kind}`);
    if (!found) return [];
    found.sorted ??= [...found.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return [...found.sorted];
  }

  onChange(listener: SettingListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

const storedOf = (
  oid: string,
  kind: SettingKind,
  name: string,
  setting: OrgSetting,
  value: Record<string, unknown>,
): StoredSetting => ({
  oid,
  kind,
  name,
  value,
  etag: setting.etag,
  size: setting.value.length,
  updatedAtMs: setting.updated_at,
  updatedBy: setting.updated_by,
});

/** `etag`: the current one; '' if the setting does not exist. */
export const etagMismatch = (name: string, etag: string): ApiError =>
  new ApiError('etag_mismatch', `ETAG_MISMATCH: '${name}' has changed since it was read: read it again.`, {
    data: { etag },
  });

/** The value as text, or null for a deletion. Throws `setting_invalid` or `setting_too_large`. */
export function checkWrite({ oid, kind, name, value }: SettingWrite): string | null {
  if (!isUuid(oid)) throw new ApiError('oid_invalid', 'The oid must be a UUID.');
  if (!KINDS.includes(kind)) throw new ApiError('setting_invalid', `There is no kind of setting '${kind}'.`);
  if (name === '' || Buffer.byteLength(name) > NAME_MAX_BYTES || /\p{Cc}|\p{Cs}/u.test(name))
    throw new ApiError('setting_invalid', `A name must have 1 to ${NAME_MAX_BYTES} bytes and no control characters.`);
  if (value === null) return null;
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > VALUE_MAX_BYTES)
    throw new ApiError('setting_too_large', `The value has ${bytes} bytes; at most ${VALUE_MAX_BYTES} are allowed.`);
  return text;
}
