/** A sensor as selectors see it now: its facts, with the tags that count at `nowMs`. */
import type { SensorView } from '../model/sensor.ts';
import { effectiveTags } from '../model/tags.ts';
import type { SelectorRecord } from './ast.ts';
import { toSelectorRecord } from './facts.ts';

export const recordOf = (sensor: SensorView, nowMs: number): SelectorRecord =>
  toSelectorRecord({
    oid: sensor.oid,
    sid: sensor.sid,
    ...(sensor.facts === null ? {} : { facts: sensor.facts }),
    should_isolate: sensor.shouldIsolate ?? sensor.facts?.should_isolate ?? false,
    alive: sensor.aliveAtMs === 0 ? null : sensor.aliveAtMs,
    tags: effectiveTags(sensor, nowMs),
  });
