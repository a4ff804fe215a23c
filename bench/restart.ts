/**
 * A joiner that starts behind: connects were written while none ran. It takes the sensors over from Redis, reads presence to
 * its end before it sends anything, and then sends what is due, once for each pair however often the sensor connected. Its
 * code is cold. The clock starts when the group has given it its partitions: loading the sensors counts, starting Node does not.
 */
import { until } from './child.ts';
import { connectRecords, reached } from './storm.ts';
import { type System, sumOf } from './system.ts';
import type { BenchSensor } from './workload.ts';

/** `cpuSeconds` are those of the process from its start. */
export type RestartResult = {
  connects: number;
  dispatches: number;
  joinSeconds: number;
  seconds: number;
  cpuSeconds: number;
  connectsPerSecond: number;
};

export type RestartOptions = {
  system: System;
  sensors: BenchSensor[];
  connects: number;
  /** Pending pairs of the fleet: as many dispatches are due after the restart. */
  deliveries: number;
  note(line: string): void;
};

const JOIN_MS = 60_000;
const CATCH_UP_MS = 300_000;
const LOOK_MS = 25;

/** No joiner may be running. At least as many connects as sensors are written, so that all pairs are due. */
export async function measureRestart({
  system,
  sensors,
  deliveries,
  note,
  connects: least,
}: RestartOptions): Promise<RestartResult> {
  note('restart: connects are written while no joiner runs');
  const connects = Math.max(least, sensors.length);
  await system.produce(system.topics.presence, connectRecords(system, sensors, connects));
  const [goal, sentBefore] = [await system.ends('presence'), sumOf(await system.ends('dispatch'))];
  const sent = async () => sumOf(await system.ends('dispatch')) - sentBefore;
  const startedMs = performance.now();
  const joiner = await system.spawnRole('joiner');
  await until('the joiner joins its group', joiner, JOIN_MS, () => system.joinerJoined(), LOOK_MS);
  const joinedMs = performance.now();
  const done = async () => ((await reached(system, goal)) && (await sent()) >= deliveries) || undefined;
  await until('the joiner catches up', joiner, CATCH_UP_MS, done, LOOK_MS);
  const seconds = (performance.now() - joinedMs) / 1000;
  const cpuSeconds = joiner.cpuSeconds();
  const dispatches = await sent();
  await joiner.stop();
  const joinSeconds = (joinedMs - startedMs) / 1000;
  return { connects, dispatches, joinSeconds, seconds, cpuSeconds, connectsPerSecond: connects / seconds };
}
