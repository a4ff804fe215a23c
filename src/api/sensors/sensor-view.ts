/** A sensor in the form that the public clients read: codes as whole numbers, times as text in UTC, the tags in effect now. Pure. */
import { type Static, Type } from '@sinclair/typebox';
import { shownHostname, text } from '../../command/fields.ts';
import type { SensorView } from '../../model/sensor.ts';
import { effectiveTags } from '../../model/tags.ts';

export const SensorEntrySchema = Type.Object(
  {
    oid: Type.String(),
    sid: Type.String(),
    iid: Type.String(),
    did: Type.String(),
    hostname: shownHostname,
    plat: Type.Integer(),
    ext_plat: Type.Integer(),
    arch: Type.Integer(),
    enroll: text('`2026-01-31 12:00:00`; "" if unknown.'),
    alive: text('In the same form.'),
    int_ip: Type.String(),
    ext_ip: Type.String(),
    mac_addr: Type.String(),
    isolated: Type.Boolean(),
    is_isolated: Type.Boolean(),
    should_isolate: Type.Boolean(),
    kernel: Type.Boolean(),
    tags: Type.Array(Type.String()),
  },
  { description: 'A sensor.' },
);

export type SensorEntry = Static<typeof SensorEntrySchema>;

/** For a sensor without facts only its ids and tags are known. */
export function sensorObject(view: SensorView, nowMs: number): SensorEntry {
  const { oid, sid, facts } = view;
  return {
    oid,
    sid,
    iid: facts?.iid ?? '',
    did: facts?.did ?? '',
    hostname: facts?.hostname ?? '',
    plat: unsigned(facts?.plat ?? 0),
    ext_plat: unsigned(facts?.ext_plat ?? 0),
    arch: unsigned(facts?.arch ?? 0),
    enroll: timeText(facts?.enroll ?? 0),
    alive: timeText(view.aliveAtMs),
    int_ip: facts?.int_ip ?? '',
    ext_ip: facts?.ext_ip ?? '',
    mac_addr: facts?.mac_addr ?? '',
    isolated: facts?.isolated ?? false,
    is_isolated: facts?.isolated ?? false,
    should_isolate: view.shouldIsolate ?? facts?.should_isolate ?? false,
    kernel: facts?.kernel ?? false,
    tags: effectiveTags(view, nowMs),
  };
}

/** Each tag as a list: the sensor, the tag, who set it (the sensor itself, or the platform), as of when. */
export function tagLists(view: SensorView, nowMs: number): Record<string, [string, string, string, string]> {
  const asOf = timeText(view.aliveAtMs);
  const lists = effectiveTags(view, nowMs).map((tag): [string, [string, string, string, string]] => [
    tag,
    [view.sid, tag, view.platformTags.has(tag) ? 'platform' : 'sensor', asOf],
  ]);
  return Object.fromEntries(lists);
}

/** Codes are signed in records. */
const unsigned = (code: number): number => code >>> 0;

/** To the second, UTC, without a zone, like the public API. */
export function timeText(ms: number): string {
  const time = new Date(ms);
  return ms <= 0 || Number.isNaN(time.getTime()) ? '' : time.toISOString().slice(0, 19).replace('T', ' ');
}
