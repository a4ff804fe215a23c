/** `report` and `output`: what a rule found, as records. A body that is too large for the topic goes without the event, and
 *  says so. Pure. */
import { hashOf } from '../model/ids.ts';
import type { Detection, OutputRecord } from '../model/records.ts';
import type { Effect } from '../rules/respond/actions.ts';
import { render } from '../rules/template/render.ts';
import { applyTransform } from '../rules/template/transform.ts';
import type { View } from '../rules/view.ts';
import type { Seen } from './seen.ts';

/** The topics take 4 MiB a record; keys, ids and framing need little. */
const BODY_MAX_BYTES = 4 * 1024 * 1024 - 65_536;
/** Of the name of a report; the rest is cut off. */
const CAT_MAX = 1_024;

/** As rules on detections see it. `bytes`: of its record. */
export type Report = {
  readonly detectId: string;
  readonly cat: string;
  readonly view: View;
  readonly bytes: number;
};

/** `origin`: hive, rule and action, for the id and the source. `detection` is null where other rules alone see the report. */
export function reportOf(
  effect: Extract<Effect, { type: 'report' }>,
  seen: Seen,
  mtd: unknown,
  origin: { hive: string; rule: string; at: string },
  nowMs: number,
): { report: Report; detection: Detection | null } {
  const { routing } = seen.view;
  const detect_id = hashOf('detection', seen.oid, origin.hive, origin.rule, origin.at, seen.eventId);
  const base = { routing, detect: seen.view, detect_mtd: null, source: origin.hive, detect_id, mtd };
  const cat = render(effect.name, base, 'show').slice(0, CAT_MAX);
  const filled = (transform: typeof effect.metadata) =>
    transform === undefined ? null : applyTransform(transform, { ...base, cat }, 'show');
  const { priority } = effect;
  const view = {
    ...{ cat, routing, detect: seen.view, detect_mtd: filled(effect.metadata) },
    ...{ detect_data: filled(effect.detectData), priority, source: origin.hive, detect_id },
  };
  const detection: Detection = {
    ...{ detect_id, oid: seen.oid, sid: seen.sid, cat, source: origin.hive, priority, occurred_at: nowMs },
    body: fitting(
      BODY_MAX_BYTES,
      view,
      { ...view, detect: null, too_large: true },
      { ...view, routing: idsOf(seen), detect: null, detect_mtd: null, detect_data: null, too_large: true },
    ),
  };
  const report = { detectId: detect_id, cat, view, bytes: detection.body.length };
  return { report, detection: effect.publish && !cat.startsWith('__') ? detection : null };
}

export function outputOf(name: string, seen: Seen): OutputRecord {
  const { oid, eventId: event_id, occurredAtMs: occurred_at, view } = seen;
  // The name is in the key, too.
  const beside = Buffer.byteLength(event_id) + 2 * Buffer.byteLength(name);
  const body = fitting(
    BODY_MAX_BYTES - beside,
    view,
    { routing: view.routing, event: null, too_large: true },
    { routing: idsOf(seen), event: null, too_large: true },
  );
  return { oid, output: name, event_id, occurred_at, body };
}

/** What of routing is always there to know the event by. An id is as long as a sensor makes it. */
const idsOf = ({ oid, sid, type, eventId, occurredAtMs }: Seen) => ({
  ...{ oid, sid, event_type: type.slice(0, CAT_MAX), event_id: eventId.slice(0, CAT_MAX), event_time: occurredAtMs },
});

/** The first that fits. One record that the broker refuses would stop the stream for everybody: the last is small. */
function fitting(maxBytes: number, ...bodies: readonly unknown[]): string {
  let text = '';
  for (const body of bodies) {
    text = JSON.stringify(body);
    if (Buffer.byteLength(text) <= maxBytes) break;
  }
  return text;
}
