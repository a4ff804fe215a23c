/**
 * The records of a hive: all, or a page. The size is limited: a larger listing of all records is refused, and a page ends before the
 * limit. A single record always fits.
 */
import { ApiError } from '../../errors.ts';
import type { HiveRecord } from './record.ts';

export type ListingOptions = {
  /** Records without their data. */
  metadataOnly: boolean;
  /** Only records with a tag that starts with this text. */
  tagPrefix: string;
  maxBytes: number;
  /** Records of a page; undefined: all records. */
  limit: number | undefined;
  /** Only names after this one. */
  after: string;
};

export type Listing = {
  readonly records: Record<string, HiveRecord>;
  /** The last name of a page that is not the last page. */
  readonly last: string | null;
};

/** Throws `hive_listing_too_large`. `all` is ordered by name. */
export function listRecords(all: readonly { name: string; record: HiveRecord }[], options: ListingOptions): Listing {
  const { metadataOnly, tagPrefix, maxBytes, limit, after } = options;
  const records: [string, HiveRecord][] = [];
  let bytes = 2;
  for (const { name, record } of all) {
    if (name <= after && after !== '') continue;
    if (tagPrefix !== '' && !record.usr_mtd.tags.some((tag) => tag.startsWith(tagPrefix))) continue;
    const shown = metadataOnly ? { ...record, data: {} } : record;
    bytes += Buffer.byteLength(JSON.stringify(shown)) + Buffer.byteLength(name) + 6;
    const last = records.at(-1)?.[0] ?? null;
    if (limit !== undefined && (records.length === limit || (bytes > maxBytes && last !== null)))
      return { records: Object.fromEntries(records), last };
    if (limit === undefined && bytes > maxBytes)
      throw new ApiError(
        'hive_listing_too_large',
        `HIVE_LISTING_TOO_LARGE: the listing has more than ${maxBytes} bytes: read it in pages, with limit.`,
      );
    records.push([name, shown]);
  }
  return { records: Object.fromEntries(records), last: null };
}
