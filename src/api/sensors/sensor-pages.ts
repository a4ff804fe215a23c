/**
 * A page of the sensors of an org, filtered, and where the next page starts. Unlike a preview it is not in the order of sids: it
 * continues the scan of Redis where the last page stopped, so that all pages together read each sensor about once. A sensor that
 * exists all the time is on some page. If Redis resizes its table meanwhile, a sensor can be on two pages.
 */
import { ApiError } from '../../errors.ts';
import type { SensorView } from '../../model/sensor.ts';
import type { SelectorAst } from '../../selector/ast.ts';
import { compileSelector } from '../../selector/evaluate/compile.ts';
import { fieldsRead } from '../../selector/sensor/fields-read.ts';
import { cursorOf, startOf } from '../http/cursor.ts';
import type { ApiPorts } from '../ports.ts';
import type { Reads } from '../reads.ts';
import type { ScanSource } from './scan.ts';
import { newSlices, viewOf } from './sensors.ts';

type Source = ScanSource & Pick<ApiPorts, 'decodeState'> & { reads: Pick<Reads, 'scanFacts' | 'readPresence'> };

export type Filter = {
  tree: SelectorAst;
  /** Internal or external address. */
  ip: string | null;
  /** Case-insensitive. */
  hostnamePrefix: string | null;
  onlineOnly: boolean;
};

export type SensorPage = { sensors: { view: SensorView; online: boolean }[]; next: string | null };

/** A page reads at most so many sensors, and may be shorter than its limit. */
const LOOK_MAX = 200_000;

/** Where a page starts: a partition, the cursor of its scan, and the sids of that scan page that an earlier page returned: those up to
 *  `after`, `given` in number. */
type ScanCursor = { partition: number; scan: string | null; after: string; given: number };

const START: ScanCursor = { partition: 0, scan: null, after: '', given: 0 };

/** `listing` names what is listed. A token of another listing is refused. */
export async function sensorPage(
  source: Source,
  oid: string,
  listing: string,
  filter: Filter,
  limit: number,
  token: string | null,
): Promise<SensorPage> {
  const sensors: SensorPage['sensors'] = [];
  const passes = filterOf(source, oid, filter);
  let at = readScanCursor(listing, token);
  let looked = 0;
  while (at.partition < source.presencePartitions()) {
    const { partition, scan } = at;
    const page = await source.reads.scanFacts(oid, partition, scan);
    const rest = notGiven(page.sensors, at);
    const found = await passes(partition, rest);
    const room = limit - sensors.length;
    sensors.push(...found.slice(0, room).map(({ view, online }) => ({ view, online })));
    looked += page.sensors.length;
    if (found.length > room) {
      const after = found[room - 1]?.view.sid ?? at.after;
      const given = page.sensors.filter(({ sid }) => sid <= after).length;
      return { sensors, next: tokenOf(listing, { ...at, after, given }) };
    }
    at = page.next === null ? { ...START, partition: partition + 1 } : { ...START, partition, scan: page.next };
    if (sensors.length === limit || looked >= LOOK_MAX) break;
  }
  return { sensors, next: at.partition < source.presencePartitions() ? tokenOf(listing, at) : null };
}

/** In the order of sids, without those that an earlier page returned. If their number has changed, Redis has resized its table: then all
 *  are returned, since a sensor may be on two pages but must be on one. */
function notGiven<T extends { sid: string }>(sensors: readonly T[], { after, given }: ScanCursor): T[] {
  const sorted = sensors.toSorted((a, b) => (a.sid < b.sid ? -1 : 1));
  const passed = sorted.findIndex(({ sid }) => sid > after);
  const count = passed < 0 ? sorted.length : passed;
  return count === given ? sorted.slice(count) : sorted;
}

function filterOf(source: Source, oid: string, { tree, ip, hostnamePrefix, onlineOnly }: Filter) {
  const plan = fieldsRead([tree]);
  const read = plan.idsOnly ? () => null : source.stateReader(plan);
  const matches = compileSelector(tree);
  const slices = newSlices();
  const prefix = hostnamePrefix?.toLowerCase();
  return async (partition: number, stored: readonly { sid: string; facts: Buffer }[]) => {
    const presenceOf = (some: typeof stored) =>
      source.reads.readPresence(
        oid,
        partition,
        some.map(({ sid }) => sid),
      );
    const early = plan.needsPresence ? await presenceOf(stored) : [];
    const selected: (typeof stored)[number][] = [];
    for (const [i, sensor] of stored.entries()) {
      if (slices.isOver) await slices.pause();
      const aliveAtMs = early[i]?.aliveAtMs ?? 0;
      const record = plan.recordOf(oid, sensor.sid, read(sensor.facts), aliveAtMs, source.nowMs());
      if (matches(record) === true) selected.push(sensor);
    }
    const presence = await presenceOf(selected);
    return selected
      .map(({ facts }, i) => ({
        view: viewOf(source, facts, presence[i] ?? null),
        online: presence[i]?.online === true,
      }))
      .filter(
        ({ view: { facts }, online }) =>
          (!onlineOnly || online) &&
          (ip === null || facts?.int_ip === ip || facts?.ext_ip === ip) &&
          (prefix === undefined || facts?.hostname.toLowerCase().startsWith(prefix) === true),
      );
  };
}

const tokenOf = (listing: string, { partition, scan, after, given }: ScanCursor): string =>
  cursorOf(listing, `${partition} ${scan ?? ''} ${given} ${after}`);

const TOKEN = 'continuation_token';
/** Redis takes the cursor of a scan as 64 bits, and refuses more. */
const SCAN_MAX = 2n ** 64n - 1n;

function readScanCursor(listing: string, token: string | null): ScanCursor {
  const text = startOf(listing, token, [TOKEN, TOKEN]);
  if (text === null) return START;
  const [, partition, scan = '', given, after] = /^(\d{1,6}) (\d{0,20}) (\d{1,9}) ([^ ]*)$/.exec(text) ?? [];
  if (partition !== undefined && after !== undefined && BigInt(scan) <= SCAN_MAX)
    return { partition: Number(partition), scan: scan || null, given: Number(given), after };
  throw new ApiError('data_invalid', `${TOKEN} must come from an earlier answer to the same request.`);
}
