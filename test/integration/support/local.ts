/** Whether this machine can run Kafka and Redis as local processes: tests that stop and start them need their own. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findJava } from '../../../src/stack/local/java.ts';
import { KAFKA_VERSION } from '../../../src/stack/local/kafka.ts';
import { cacheDir } from '../../../src/stack/paths.ts';

function canRun(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const mavenOr = (cached: string) => existsSync(join(cacheDir(), cached)) || canRun('mvn');

export const kafkaRuns = (await findJava(17)) !== undefined && mavenOr(`kafka-${KAFKA_VERSION}`);
export const redisRuns = canRun('redis-server') || canRun('valkey-server') || mavenOr('redis-embedded-1.4.3');
