/** The records of the actions `report` and `output`. A body that is too large for the topic is written without the event, and marked
 *  as too large. Pure. */
import { hashOf } from '../model/ids.ts';
import type { Detection, OutputRecord } from '../model/records.ts';
import type { Effect } from '../rules/respond/actions.ts';
import { render } from '../rules/template/render.ts';
import { applyTransform } from '../rules/template/transform.ts';
import type { View } from '../rules/view.ts';
import type { RuleEvent } from './rule-event.ts';

/** The topics take records of up to 4 MiB. The rest is for keys, ids and framing. */
const BODY_MAX_BYTES = 4 * 1024 * 1024 - 65_536;
/** A longer name of a report is truncated. */
const CAT_MAX = 1_024;

/** A report as rules on detections see it. `bytes`: the size of its record. */
export type Report = {
  readonly detectId: string;
  readonly cat: string;
  readonly view: View;
  readonly bytes: number;
};

/** `origin`: the hive, rule and action, for the id and the source. `detection` is null if only other rules see the report. */
export function reportOf(
  effect: Extract<Effect, { type: 'report' }>,
  event: RuleEvent,
  mtd: unknown,
  origin: { hive: string; rule: string; at: string },
  nowMs: number,
): { report: Report; detection: Detection | null } {
  const { routing } = event.view;
  const detect_id = hashOf('detection', event.oid, origin.hive, origin.rule, origin.at, event.eventId);
  const base = { routing, detect: event.view, detect_mtd: null, source: origin.hive, detect_id, mtd };
  const cat = render(effect.name, base, 'show').slice(0, CAT_MAX);
  const filled = (transform: typeof effect.metadata) =>
    transform === undefined ? null : applyTransform(transform, { ...base, cat }, 'show');
  const { priority } = effect;
  const view = {
    cat,
    routing,
    detect: event.view,
    detect_mtd: filled(effect.metadata),
    detect_data: filled(effect.detectData),
    priority,
    source: origin.hive,
    detect_id,
  };
  const detection: Detection = {
    detect_id,
    oid: event.oid,
    sid: event.sid,
    cat,
    source: origin.hive,
    priority,
    occurred_at: nowMs,
    body: fitting(
      BODY_MAX_BYTES,
      view,
      { ...view, detect: null, too_large: true },
      { ...view, routing: idsOf(event), detect: null, detect_mtd: null, detect_data: null, too_large: true },
    ),
  };
  const report = { detectId: detect_id, cat, view, bytes: detection.body.length };
  return { report, detection: effect.publish && !cat.startsWith('__') ? detection : null };
}

export function outputOf(name: string, event: RuleEvent): OutputRecord {
  const { oid, eventId: event_id, occurredAtMs: occurred_at, view } = event;
  // The record carries the id once, and the name twice: its key has it too.
  const otherBytes = Buffer.byteLength(event_id) + 2 * Buffer.byteLength(name);
  const body = fitting(
    BODY_MAX_BYTES - otherBytes,
    view,
    { routing: view.routing, event: null, too_large: true },
    { routing: idsOf(event), event: null, too_large: true },
  );
  return { oid, output: name, event_id, occurred_at, body };
}

/** The fields of routing that identify the event. A sensor can choose an id of any length. */
const idsOf = ({ oid, sid, type, eventId, occurredAtMs }: RuleEvent) => ({
  oid,
  sid,
  event_type: type.slice(0, CAT_MAX),
  event_id: eventId.slice(0, CAT_MAX),
  event_time: occurredAtMs,
});

/** The first body that fits, or the last, which is small: a record that the broker refuses would stop the stream for all orgs. */
function fitting(maxBytes: number, ...bodies: readonly unknown[]): string {
  let text = '';
  for (const body of bodies) {
    text = JSON.stringify(body);
    if (Buffer.byteLength(text) <= maxBytes) break;
  }
  return text;
}
