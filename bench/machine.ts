/** What the figures were measured on: without it they say nothing. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export type Machine = {
  cpu: string;
  cores: number;
  memoryGib: number;
  os: string;
  node: string;
  kafkajs: string;
  /** The broker's version; Kafka's protocol does not tell it, so it is known only of a broker that the stack started. */
  kafka: string;
  redis: string;
  loadAverageBefore: number;
  measuredAt: string;
};

export function describeMachine(versions: { kafka: string; redis: string }): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    node: process.versions.node,
    kafkajs: versionOf('kafkajs'),
    ...versions,
    loadAverageBefore: loadAverage(),
    measuredAt: new Date().toISOString(),
  };
}

/** Of the last minute. Above the share that the run itself takes, others used the cores too. */
export const loadAverage = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

function versionOf(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
