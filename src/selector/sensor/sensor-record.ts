/**
 * The record of a sensor as selectors see it: platforms and architecture by name, times in Unix seconds. An unknown fact is an absent key,
 * so a clause about it is an error and not false. A sensor that never sent its facts has only sid and oid.
 */
import { architectureName, platformName } from '../../model/platforms.ts';
import type { SensorView } from '../../model/sensor.ts';
import { effectiveTags } from '../../model/tags.ts';
import type { SelectorRecord } from '../predicate.ts';

export interface SelectorFacts {
  readonly oid: string;
  readonly sid: string;
  readonly facts?: {
    readonly iid: string;
    readonly did: string;
    readonly hostname: string;
    readonly ext_ip: string;
    readonly int_ip: string;
    readonly mac_addr: string;
    /** Codes, signed or unsigned. */
    readonly plat: number;
    readonly ext_plat: number;
    readonly arch: number;
    /** Unix ms. */
    readonly enroll: number | null;
    readonly isolated: boolean;
    readonly kernel: boolean;
  };
  readonly should_isolate: boolean;
  /** Time of the last presence record, Unix ms. */
  readonly alive: number | null;
  readonly tags: readonly string[];
}

/** The tags are shared, not copied. */
export function toSelectorRecord(sensor: SelectorFacts): SelectorRecord {
  const { oid, sid, facts } = sensor;
  if (facts === undefined) return { oid, sid };
  const record = {
    oid,
    sid,
    iid: facts.iid,
    did: facts.did,
    hostname: facts.hostname,
    ext_ip: facts.ext_ip,
    int_ip: facts.int_ip,
    mac_addr: facts.mac_addr,
    plat: platformName(facts.plat),
    ext_plat: platformName(facts.ext_plat),
    arch: architectureName(facts.arch),
    isolated: facts.isolated,
    should_isolate: sensor.should_isolate,
    kernel: facts.kernel,
    tags: sensor.tags,
  };
  return { ...record, ...seconds('enroll', facts.enroll), ...seconds('alive', sensor.alive) };
}

function seconds(field: string, ms: number | null): SelectorRecord {
  return ms === null ? {} : { [field]: Math.floor(ms / 1000) };
}

/** The record of a sensor as Redis keeps it, with the tags that are in effect at `nowMs`. */
export const recordOf = (sensor: SensorView, nowMs: number): SelectorRecord =>
  toSelectorRecord({
    oid: sensor.oid,
    sid: sensor.sid,
    ...(sensor.facts === null ? {} : { facts: sensor.facts }),
    should_isolate: sensor.shouldIsolate ?? sensor.facts?.should_isolate ?? false,
    alive: sensor.aliveAtMs === 0 ? null : sensor.aliveAtMs,
    tags: effectiveTags(sensor, nowMs),
  });
