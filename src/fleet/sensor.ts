/**
 * The facts of simulated sensors. Guarantees: a sensor follows only from the seed and its number, so sensor 7 is the same in a fleet
 * of 10 and of 100,000; every fact is set; of ten consecutive sensors, five run Windows, three Linux and two macOS. Sids are UUIDs
 * of version 5. External addresses are from the documentation ranges (RFC 5737). No I/O.
 */
import { v5 as uuidV5 } from 'uuid';
import type { SensorFacts } from '../model/records.ts';
import { oneOf, type Random, randomOf, wholeNumber } from './random.ts';

export type FleetSensor = { number: number; sid: string; facts: SensorFacts };

export const PLATFORM_CODES = { windows: 0x10000000, linux: 0x20000000, macos: 0x30000000 } as const;
export type Platform = keyof typeof PLATFORM_CODES;

const ARCH_CODES = { x86: 1, x64: 2, arm64: 4 } as const;

const NAMESPACE = '3b0d4c52-5a0e-4b57-9b0c-6f2f6f1f8a11';

/** Platforms by the last digit of the sensor's number. */
const MIX: readonly Platform[] = [
  'windows',
  'linux',
  'macos',
  'windows',
  'linux',
  'windows',
  'windows',
  'linux',
  'macos',
  'windows',
];

const HOST_PREFIXES: Record<Platform, readonly string[]> = {
  windows: ['desktop', 'laptop', 'win'],
  linux: ['web', 'db', 'build'],
  macos: ['mac', 'studio'],
};

const DEPARTMENTS = ['finance', 'engineering', 'sales', 'support'] as const;

/** Sensors 0 to `count` - 1. `firstSid` is the sid of sensor 0; its facts do not change. */
export function makeSensors(seed: number, count: number, firstSid?: string): FleetSensor[] {
  const sensors = Array.from({ length: count }, (_, number) => makeSensor(seed, number));
  if (firstSid !== undefined && sensors[0]) sensors[0].sid = firstSid;
  return sensors;
}

export function makeSensor(seed: number, number: number): FleetSensor {
  const random = randomOf('sensor', seed, number);
  const platform = MIX[number % MIX.length] as Platform;
  return { number, sid: uuidOf('sid', seed, number), facts: factsOf(seed, number, platform, random) };
}

function factsOf(seed: number, number: number, platform: Platform, random: Random): SensorFacts {
  const plat = PLATFORM_CODES[platform];
  const isolated = random() < 0.02;
  return {
    iid: uuidOf('iid', seed, number % 3),
    did: uuidOf('did', seed, number),
    hostname: `${oneOf(random, HOST_PREFIXES[platform])}-${String(number).padStart(4, '0')}`,
    ext_ip: `${oneOf(random, ['192.0.2', '198.51.100', '203.0.113'])}.${wholeNumber(random, 1, 254)}`,
    int_ip: internalAddress(platform, random),
    mac_addr: macAddress(random),
    plat,
    ext_plat: plat,
    arch: archOf(platform, random),
    enroll: Date.UTC(2025, 0, 1) + wholeNumber(random, 0, 365 * 86_400) * 1000,
    isolated,
    should_isolate: isolated,
    kernel: platform === 'linux' ? random() < 0.3 : random() < 0.9,
    tags: tagsOf(random),
  };
}

function uuidOf(...words: (string | number)[]): string {
  return uuidV5(words.join('/'), NAMESPACE);
}

/** Half of the Linux machines are in 10.3.0.0/16, so that a selector on the network matches some of them. */
function internalAddress(platform: Platform, random: Random): string {
  const network = platform === 'linux' && random() < 0.5 ? 3 : wholeNumber(random, 4, 40);
  return `10.${network}.${wholeNumber(random, 0, 255)}.${wholeNumber(random, 1, 254)}`;
}

/** The bit of locally administered addresses is set, so that no vendor's number is used. */
function macAddress(random: Random): string {
  const bytes = [0x02, ...Array.from({ length: 5 }, () => wholeNumber(random, 0, 255))];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('-');
}

function archOf(platform: Platform, random: Random): number {
  if (platform === 'macos') return random() < 0.8 ? ARCH_CODES.arm64 : ARCH_CODES.x64;
  if (platform === 'windows') return random() < 0.05 ? ARCH_CODES.x86 : ARCH_CODES.x64;
  return random() < 0.2 ? ARCH_CODES.arm64 : ARCH_CODES.x64;
}

function tagsOf(random: Random): string[] {
  const tags = [random() < 0.6 ? 'production' : 'staging', oneOf(random, DEPARTMENTS)];
  return random() < 0.15 ? [...tags, 'vip'] : tags;
}
