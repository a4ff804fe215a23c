/** One record of a hive, as the settings hold it (kind HIVE, name `hive/record`) and as clients see it. Pure. */
import { ApiError } from '../../errors.ts';
import type { StoredSetting } from '../../orgs/settings.ts';
import type { Author } from './author.ts';
import type { HiveData } from './hives.ts';

/** `expiry`: Unix ms, 0 for never. */
export type UserMetadata = { enabled: boolean; expiry: number; tags: string[]; comment: string };

/** What the setting holds. The other metadata come from the setting itself. */
export type KeptRecord = {
  data: HiveData;
  usr_mtd: UserMetadata;
  /** null: stored by a version that did not check the rights of actions. */
  author: Author | null;
  guid: string;
  created_at: number;
  created_by: string;
  /** The warnings of the data, as one text; '' without warnings. */
  last_error: string;
  last_error_ts: number;
};

export type HiveRecord = {
  data: HiveData;
  usr_mtd: UserMetadata;
  sys_mtd: {
    etag: string;
    created_at: number;
    created_by: string;
    guid: string;
    /** Who stored or enabled it last; "" if that is not known. */
    author: string;
    last_author: string;
    last_mod: number;
    last_error: string;
    last_error_ts: number;
  };
};

export const NO_METADATA: UserMetadata = { enabled: false, expiry: 0, tags: [], comment: '' };

export const settingName = (hive: string, name: string): string => `${hive}/${name}`;

/** The hive and the record in the name of a setting of kind HIVE; null if the name has no hive. */
export function partsOfSettingName(name: string): { hive: string; record: string } | null {
  const slash = name.indexOf('/');
  return slash < 1 ? null : { hive: name.slice(0, slash), record: name.slice(slash + 1) };
}

/** Reads any value: other programs write settings too. */
export function keptOf(value: Readonly<Record<string, unknown>>): KeptRecord {
  return {
    data: isObject(value.data) ? value.data : {},
    usr_mtd: { ...NO_METADATA, ...readKept(value.usr_mtd) },
    author: readAuthor(value.author),
    guid: text(value.guid),
    created_at: number(value.created_at),
    created_by: text(value.created_by),
    last_error: text(value.last_error),
    last_error_ts: number(value.last_error_ts),
  };
}

export function recordOf(setting: StoredSetting): HiveRecord {
  const { data, usr_mtd, author, guid, created_at, created_by, last_error, last_error_ts } = keptOf(setting.value);
  const { etag, updatedBy: last_author, updatedAtMs: last_mod } = setting;
  return {
    data,
    usr_mtd,
    sys_mtd: {
      etag,
      created_at,
      created_by,
      guid,
      author: author?.name ?? '',
      last_author,
      last_mod,
      last_error,
      last_error_ts,
    },
  };
}

/** The record with the fault of its last run, if the fault is newer than the record. */
export function withFault(record: HiveRecord, fault: { sentence: string; atMs: number } | undefined): HiveRecord {
  if (fault === undefined || fault.atMs < record.sys_mtd.last_mod) return record;
  return { ...record, sys_mtd: { ...record.sys_mtd, last_error: fault.sentence, last_error_ts: fault.atMs } };
}

/** Whether a rule with this metadata runs. */
export const isActive = ({ enabled, expiry }: UserMetadata, nowMs: number): boolean =>
  enabled && (expiry === 0 || nowMs < expiry);

/** Whether `now` lets a record run at a time at which `before` does not: it is enabled, or its expiry is later. */
export const isEnabling = (before: UserMetadata, now: UserMetadata): boolean =>
  now.enabled && (!before.enabled || endOf(now) > endOf(before));

const endOf = ({ expiry }: UserMetadata): number => (expiry === 0 ? Number.POSITIVE_INFINITY : expiry);

const TAGS_MAX = 100;
const COMMENT_MAX = 4_096;

/** Reads the `usr_mtd` of a request. It replaces all metadata; without `enabled` the record is disabled. */
export function readMetadata(value: unknown): UserMetadata {
  const refused = (sentence: string) => new ApiError('data_invalid', `usr_mtd${sentence}`);
  if (!isObject(value)) throw refused(' must be an object.');
  const { enabled = false, expiry = 0, tags = [], comment = '' } = withoutNulls(value);
  if (typeof enabled !== 'boolean') throw refused('.enabled must be true or false.');
  if (typeof expiry !== 'number' || !Number.isSafeInteger(expiry) || expiry < 0)
    throw refused('.expiry must be a Unix timestamp in milliseconds, or 0.');
  if (!Array.isArray(tags) || tags.length > TAGS_MAX || !tags.every((tag) => typeof tag === 'string'))
    throw refused(`.tags must be a list of at most ${TAGS_MAX} texts.`);
  if (typeof comment !== 'string' || comment.length > COMMENT_MAX)
    throw refused(`.comment must be a text of at most ${COMMENT_MAX} characters.`);
  return { enabled, expiry, tags, comment };
}

function readKept(value: unknown): Partial<UserMetadata> {
  try {
    return value === undefined ? {} : readMetadata(value);
  } catch {
    return {};
  }
}

function readAuthor(value: unknown): Author | null {
  if (!isObject(value) || typeof value.name !== 'string' || !Array.isArray(value.rights)) return null;
  return { name: value.name, rights: value.rights.filter((right) => typeof right === 'string') };
}

const withoutNulls = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
