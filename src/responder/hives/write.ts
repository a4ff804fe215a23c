/**
 * Reads and writes records of hives. Every write is a compare-and-set on the etag of the setting: the etag of the caller, or the one
 * that was just read, so that no write in between is lost. The caller who stores, renames or enables a record is its author, and
 * needs the rights of its actions; otherwise the write is refused (`forbidden`).
 */
import { randomUUID } from 'node:crypto';
import { ApiError } from '../../errors.ts';
import { etagMismatch, type Settings, type StoredSetting } from '../../orgs/settings.ts';
import { authorOf, type Writer } from './author.ts';
import type { Hive, HiveData } from './hives.ts';
import {
  type HiveRecord,
  isEnabling,
  type KeptRecord,
  keptOf,
  NO_METADATA,
  recordOf,
  settingName,
  type UserMetadata,
} from './record.ts';

/** Which record, and who writes it. `etag`: the version that the caller has read; undefined or '' for any version. */
export type HiveTarget = Writer & { oid: string; hive: Hive; name: string; etag?: string | undefined };

const RECORDS_MAX = 10_000;
/** Characters of all hives of an org: every process has them in memory. */
const SIZE_MAX = 64 * 1024 * 1024;
const NAME_MAX_BYTES = 256;
/** Another process can write between the read and the write. Then the record is read again. */
const TRIES = 5;

export class HiveStore {
  readonly #settings: Settings;
  readonly #nowMs: () => number;

  constructor(settings: Settings, nowMs: () => number) {
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  /** Ordered by name. */
  list(oid: string, { name: hive }: Hive): { name: string; record: HiveRecord }[] {
    const prefix = settingName(hive, '');
    return this.#settings
      .list(oid, 'HIVE')
      .filter(({ name }) => name.startsWith(prefix))
      .map((setting) => ({ name: setting.name.slice(prefix.length), record: recordOf(setting) }));
  }

  /** Throws `record_not_found`. */
  get(oid: string, hive: Hive, name: string): HiveRecord {
    return recordOf(this.#found({ oid, hive, name }));
  }

  /** Stores data, with new metadata or the current ones. A new record without metadata is disabled. */
  async setData(target: HiveTarget, data: HiveData, metadata: UserMetadata | undefined): Promise<KeptRecord> {
    const warnings = target.hive.check(data);
    const author = authorOf(target.hive, data, target);
    return this.#write(target, (setting) => {
      if (setting === undefined) this.#refuseNew(target);
      const old = setting === undefined ? this.#fresh(target.by) : keptOf(setting.value);
      return {
        ...old,
        data,
        usr_mtd: metadata ?? old.usr_mtd,
        author,
        last_error: warnings.join('\n'),
        last_error_ts: warnings.length === 0 ? 0 : this.#nowMs(),
      };
    });
  }

  async setMetadata(target: HiveTarget, metadata: UserMetadata): Promise<KeptRecord> {
    return this.#write(target, () => {
      const old = keptOf(this.#found(target).value);
      const author = isEnabling(old.usr_mtd, metadata) ? authorOf(target.hive, old.data, target) : old.author;
      return { ...old, usr_mtd: metadata, author };
    });
  }

  async remove(target: HiveTarget): Promise<void> {
    await this.#write(target, () => {
      this.#found(target);
      return null;
    });
  }

  /** Writes the record under its new name, then removes the old one. A crash in between leaves both. */
  async rename(target: HiveTarget, to: string): Promise<KeptRecord> {
    const setting = this.#found(target);
    const renamed = { ...target, name: to, etag: undefined };
    if (target.etag && target.etag !== setting.etag) throw etagMismatch(target.name, setting.etag);
    if (to === target.name) return keptOf(setting.value);
    const kept = await this.#write(renamed, (there) => {
      if (there !== undefined)
        throw new ApiError('record_exists', `A record "${to}" exists already: choose another name.`);
      this.#refuseNew(renamed);
      const old = keptOf(setting.value);
      return { ...old, author: authorOf(target.hive, old.data, target) };
    });
    await this.remove({ ...target, etag: setting.etag });
    return kept;
  }

  #found({ oid, hive, name }: Pick<HiveTarget, 'oid' | 'hive' | 'name'>): StoredSetting {
    const setting = this.#settings.get(oid, 'HIVE', settingName(hive.name, name));
    if (setting === undefined) throw new ApiError('record_not_found', `The hive ${hive.name} has no record "${name}".`);
    return setting;
  }

  #refuseNew({ oid, hive, name }: HiveTarget): void {
    if (name === '' || Buffer.byteLength(name) > NAME_MAX_BYTES)
      throw new ApiError('data_invalid', `The name of a record has 1 to ${NAME_MAX_BYTES} bytes.`);
    if (this.list(oid, hive).length >= RECORDS_MAX)
      throw new ApiError('hive_full', `The hive has ${RECORDS_MAX} records: delete some first.`);
  }

  #fresh(by: string): KeptRecord {
    const created = { guid: randomUUID(), created_at: this.#nowMs(), created_by: by };
    return { data: {}, usr_mtd: NO_METADATA, author: null, ...created, last_error: '', last_error_ts: 0 };
  }

  /** A record that gets smaller is always stored. */
  #refuseLarger(oid: string, setting: StoredSetting | undefined, value: KeptRecord): void {
    const more = JSON.stringify(value).length - (setting?.size ?? 0);
    if (more <= 0) return;
    const all = this.#settings.list(oid, 'HIVE').reduce((sum, { size }) => sum + size, 0);
    if (all + more > SIZE_MAX)
      throw new ApiError(
        'hive_full',
        `The hives of an org have at most ${SIZE_MAX} characters: delete some records first.`,
      );
  }

  /** `change` returns the record to store, or null to delete it. */
  async #write<K extends KeptRecord | null>(
    target: HiveTarget,
    change: (setting: StoredSetting | undefined) => K,
  ): Promise<K> {
    const { oid, by } = target;
    const name = settingName(target.hive.name, target.name);
    for (let attempt = 1; ; attempt += 1) {
      const setting = this.#settings.get(oid, 'HIVE', name);
      const value = change(setting);
      if (value !== null) this.#refuseLarger(oid, setting, value);
      const ifEtag = target.etag || (setting?.etag ?? '');
      try {
        await this.#settings.write({ oid, kind: 'HIVE', name, by, value, ifEtag });
        return value;
      } catch (error) {
        const isOvertaken = error instanceof ApiError && error.code === 'etag_mismatch';
        if (!isOvertaken || target.etag || attempt === TRIES) throw error;
      }
    }
  }
}
