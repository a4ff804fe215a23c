/**
 * Selectors and sensors for the selector benchmark; the same seed and sizes give the same. Of the selectors 60 % are
 * `sid ==`, 15 % a tag, 10 % platform and tag, 5 % `hostname ==`, 5 % a hostname prefix, 5 % platform and a part of the network.
 */
import { createHash } from 'node:crypto';
import type { SelectorRecord } from '../src/selector/predicate.ts';
import { toSelectorRecord } from '../src/selector/sensor/sensor-record.ts';

/** `spread`: values grow with the number of selectors, a sensor matches about 3. `crowded`: 200 tags and one pattern of each
 *  kind, a sensor matches 1.4 % of them. */
export type Mix = 'spread' | 'crowded';

export type Values = { sensors: number; tags: number; prefixes: number; networks: number };

const ROLES = ['web', 'db', 'app', 'mail', 'cache', 'build', 'edge', 'vpn'];
const PLATFORM_CODES = [0x20000000, 0x10000000, 0x30000000];
const PLATFORMS = ['linux', 'windows', 'macos'];
const TAGS_EACH = 3;

export const valuesOf = (mix: Mix, selectors: number): Values =>
  mix === 'spread'
    ? {
        sensors: selectors,
        tags: Math.ceil(selectors * 0.45),
        prefixes: Math.ceil(selectors / 10),
        networks: Math.ceil(selectors / 20),
      }
    : { sensors: Math.max(selectors, 1_000), tags: 200, prefixes: 1, networks: 1 };

/** Numbers below 1 that follow from the seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sidOfSensor = (i: number): string => {
  const hex = createHash('md5').update(`sensor ${i}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
};

/** With few prefixes and networks, sensors that are in none of them too: 8 roles, 4 networks. */
const prefixOf = (i: number): string => `${ROLES[i % ROLES.length]}-${Math.floor(i / ROLES.length)}-`;
const networkOf = (i: number): string => `10.${Math.floor(i / 250)}.${i % 250}.`;
const hostOf = (i: number, { prefixes }: Values): string => `${prefixOf(spreadOver(i, Math.max(prefixes, 8)))}${i}`;

/** The same numbers in another order, so that facts of a sensor do not go together. */
const spreadOver = (i: number, count: number, salt = 0): number =>
  Math.floor(randomFrom(i * 8 + salt)() * count) % count;

export function* selectorsOf(mix: Mix, count: number, seed: number): Generator<string> {
  const values = valuesOf(mix, count);
  const random = randomFrom(seed);
  const one = (below: number) => Math.floor(random() * below);
  const platform = () => `plat == ${PLATFORMS[one(3)]}`;
  const tag = () => `"tag-${one(values.tags)}" in tags`;
  for (let i = 0; i < count; i += 1) {
    const kind = i % 20;
    if (kind < 12) yield `sid == "${sidOfSensor(one(values.sensors))}"`;
    else if (kind < 15) yield tag();
    else if (kind < 17) yield `${platform()} and ${tag()}`;
    else if (kind < 18) yield `hostname == "${hostOf(one(values.sensors), values)}"`;
    else if (kind < 19) yield `hostname matches '^${prefixOf(one(values.prefixes))}'`;
    else yield `${platform()} and int_ip matches '^${networkOf(one(values.networks)).replaceAll('.', '\\.')}.*'`;
  }
}

/** Sensor `i`, read from bytes as a record of the topic is: each call makes texts of its own. */
export function sensorOf(mix: Mix, selectors: number, i: number): SelectorRecord {
  const values = valuesOf(mix, selectors);
  const text = (value: string): string => Buffer.from(value).toString('utf8');
  const sid = text(sidOfSensor(i));
  return toSelectorRecord({
    oid: text('8cbe27f4-bfa1-4afb-ba19-138cd51389cd'),
    sid,
    facts: {
      iid: text('d6b8a5b5-0000-4000-a000-000000000000'),
      did: text(sidOfSensor(i + 1)),
      hostname: text(hostOf(i, values)),
      ext_ip: text(`203.0.113.${i % 254}`),
      int_ip: text(`${networkOf(spreadOver(i, Math.max(values.networks, 4), 1))}${i % 254}`),
      mac_addr: text('00-16-3e-00-00-01'),
      plat: PLATFORM_CODES[spreadOver(i, 3, 2)] as number,
      ext_plat: 0,
      arch: 2,
      enroll: 1_700_000_000_000,
      isolated: false,
      kernel: true,
    },
    should_isolate: false,
    alive: 1_717_000_000_000 + i,
    tags: Array.from({ length: TAGS_EACH }, (_, n) => text(`tag-${spreadOver(i, values.tags, 3 + n)}`)),
  });
}
