/**
 * The fields of a sensor, and how each is read. Each field has its own property access, so that V8 keeps every access monomorphic. A
 * shared `record[name]` would be megamorphic.
 */
import type { SelectorRecord, Verdict } from '../predicate.ts';

type Read = (record: SelectorRecord) => unknown;
/** `is(text, other)` is true for the exact text. `other` decides for any other value. */
type Is = (text: string, other: (value: unknown) => Verdict) => (record: SelectorRecord) => Verdict;

interface Field {
  readonly read: Read;
  readonly is: Is;
}

export const SENSOR_FIELDS = {
  sid: { read: (r) => r.sid, is: (text, other) => (r) => r.sid === text || other(r.sid) },
  oid: { read: (r) => r.oid, is: (text, other) => (r) => r.oid === text || other(r.oid) },
  iid: { read: (r) => r.iid, is: (text, other) => (r) => r.iid === text || other(r.iid) },
  plat: { read: (r) => r.plat, is: (text, other) => (r) => r.plat === text || other(r.plat) },
  ext_plat: { read: (r) => r.ext_plat, is: (text, other) => (r) => r.ext_plat === text || other(r.ext_plat) },
  arch: { read: (r) => r.arch, is: (text, other) => (r) => r.arch === text || other(r.arch) },
  enroll: { read: (r) => r.enroll, is: (text, other) => (r) => r.enroll === text || other(r.enroll) },
  hostname: { read: (r) => r.hostname, is: (text, other) => (r) => r.hostname === text || other(r.hostname) },
  mac_addr: { read: (r) => r.mac_addr, is: (text, other) => (r) => r.mac_addr === text || other(r.mac_addr) },
  alive: { read: (r) => r.alive, is: (text, other) => (r) => r.alive === text || other(r.alive) },
  ext_ip: { read: (r) => r.ext_ip, is: (text, other) => (r) => r.ext_ip === text || other(r.ext_ip) },
  int_ip: { read: (r) => r.int_ip, is: (text, other) => (r) => r.int_ip === text || other(r.int_ip) },
  isolated: { read: (r) => r.isolated, is: (text, other) => (r) => r.isolated === text || other(r.isolated) },
  should_isolate: {
    read: (r) => r.should_isolate,
    is: (text, other) => (r) => r.should_isolate === text || other(r.should_isolate),
  },
  kernel: { read: (r) => r.kernel, is: (text, other) => (r) => r.kernel === text || other(r.kernel) },
  did: { read: (r) => r.did, is: (text, other) => (r) => r.did === text || other(r.did) },
  tags: { read: (r) => r.tags, is: (text, other) => (r) => r.tags === text || other(r.tags) },
} as const satisfies Record<string, Field>;

export type SensorFieldName = keyof typeof SENSOR_FIELDS;

export const SENSOR_FIELD_NAMES = Object.keys(SENSOR_FIELDS) as readonly SensorFieldName[];

export function isSensorField(name: string): name is SensorFieldName {
  return Object.hasOwn(SENSOR_FIELDS, name);
}
