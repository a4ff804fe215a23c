/**
 * The newest detections of each org, in memory, for people to look at. Limited by number and bytes for each org, and by bytes for all.
 * Detections older than a week, the retention of the topic, are left out. A detection that arrives twice is kept once. Pure.
 */
import { isNestedTooDeep, NESTING_MAX } from '../../command/depth.ts';
import type { Detection } from '../../model/records.ts';

export type ShownDetection = Omit<Detection, 'oid' | 'body'> & { body: unknown };

const PER_ORG = 1_000;
const ORG_BYTES = 8 * 1024 * 1024;
const ALL_BYTES = 128 * 1024 * 1024;
const KEPT_MS = 7 * 86_400_000;
/** Approximate size of an entry without its body. */
const OVERHEAD_BYTES = 512;

/** Levels of a body that is shown as JSON: an event, and the levels that reports on reports add. */
const DEPTH_MAX = 4 * NESTING_MAX;

type Org = { byId: Map<string, Detection>; bytes: number };

export class RecentDetections {
  readonly #orgs = new Map<string, Org>();
  #bytes = 0;

  add(detection: Detection): void {
    const { oid, detect_id } = detection;
    const org = this.#orgs.get(oid) ?? { byId: new Map<string, Detection>(), bytes: 0 };
    if (org.byId.has(detect_id)) return;
    this.#orgs.delete(oid);
    this.#orgs.set(oid, org); // the org that was quiet longest comes first
    org.byId.set(detect_id, detection);
    this.#count(org, sizeOf(detection));
    while (org.byId.size > PER_ORG || (org.bytes > ORG_BYTES && org.byId.size > 1)) this.#dropOldest(org);
    while (this.#bytes > ALL_BYTES && this.#orgs.size > 1) this.#dropQuietest();
  }

  /** Newest first, as they were written. */
  list(
    oid: string,
    limit: number,
    nowMs: number,
    where: { cat?: string; sid?: string; sinceMs?: number } = {},
  ): ShownDetection[] {
    const found = [...(this.#orgs.get(oid)?.byId.values() ?? [])].filter(
      ({ occurred_at, cat, sid }) =>
        nowMs - occurred_at <= KEPT_MS &&
        occurred_at >= (where.sinceMs ?? 0) &&
        (where.cat === undefined || where.cat === cat) &&
        (where.sid === undefined || where.sid === sid),
    );
    return found
      .slice(-limit)
      .reverse()
      .map(({ oid: _oid, body, ...rest }) => ({ ...rest, body: parsed(body) }));
  }

  #count(org: Org, bytes: number): void {
    org.bytes += bytes;
    this.#bytes += bytes;
  }

  #dropOldest(org: Org): void {
    for (const [id, oldest] of org.byId) {
      org.byId.delete(id);
      this.#count(org, -sizeOf(oldest));
      return;
    }
  }

  #dropQuietest(): void {
    for (const [oid, org] of this.#orgs) {
      this.#orgs.delete(oid);
      this.#bytes -= org.bytes;
      return;
    }
  }
}

const sizeOf = ({ body }: Detection): number => body.length + OVERHEAD_BYTES;

function parsed(body: string): unknown {
  // An event from before the nesting limit: JSON this deep cannot be serialized again.
  if (isNestedTooDeep(body, DEPTH_MAX)) return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}
