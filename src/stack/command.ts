// What `rt stack up|down|status` does. `up` leaves the stack running after the command has ended; `.stack` remembers it, so
// that `npm start` uses it and `down` finds it from any terminal.

import { composeDown, composePorts } from './docker/compose.ts';
import { askDocker } from './docker/docker.ts';
import { StackInUse } from './errors.ts';
import { endLeftovers } from './local/stack.ts';
import { stackDir } from './paths.ts';
import { kafkaAnswers, redisAnswers } from './probe.ts';
import { upStack } from './stack.ts';
import { changeState, ownerOf, readState, survivors } from './state.ts';

export { StackInUse, StackSettingError } from './errors.ts';

type Log = (line: string) => void;

/** Where a stack is. `owner` is the pid of the program that stops it when it ends; without one it stays until `down`. */
export type StackStatus =
  | { up: false }
  | { up: true; source: 'environment' | 'docker' | 'local'; kafkaBrokers: string[]; redisUrl: string; owner?: number };

/** Brings the stack up and leaves it. Throws a sentence when it can't. */
export async function up(log: Log, dir = stackDir()): Promise<StackStatus> {
  const { source, kafkaBrokers, redisUrl } = await upStack({ purpose: 'start', log, dataDir: dir, detached: true });
  return { up: true, source, kafkaBrokers, redisUrl };
}

/** Stops what `up` left; data stays. False when there was nothing. Throws StackInUse while a program such as `npm start` holds it. */
export async function down(log: Log, dir = stackDir()): Promise<boolean> {
  const owner = ownerOf(dir);
  if (owner !== undefined) throw new StackInUse(dir, owner.pid);
  const state = readState(dir);
  let wasUp = survivors(state).length > 0;
  // Without an answer from Docker its containers are not running either.
  if (state.source === 'docker' && (await askDocker(['compose'])).is === 'ready') {
    wasUp = (await composePorts()) !== undefined;
    await composeDown();
  }
  // `up` left them running on purpose, so there is nothing to log.
  await endLeftovers(dir, () => {});
  changeState(dir, { source: undefined });
  if (wasUp) log('Stack stopped; its data stays.');
  return wasUp;
}

/** Looks, changes nothing. */
export async function status(dir = stackDir()): Promise<StackStatus> {
  const state = readState(dir);
  const ports =
    state.source === 'docker' ? await dockerPorts() : { kafka: state.kafka?.port, redis: state.redis?.port };
  if (ports?.kafka === undefined || ports.redis === undefined || state.source === undefined) return { up: false };
  const answers = await Promise.all([kafkaAnswers(ports.kafka), redisAnswers(ports.redis)]);
  if (answers.includes(false)) return { up: false };
  const owner = ownerOf(dir)?.pid;
  return {
    up: true,
    source: state.source,
    kafkaBrokers: [`127.0.0.1:${ports.kafka}`],
    redisUrl: `redis://127.0.0.1:${ports.redis}`,
    ...(owner === undefined ? {} : { owner }),
  };
}

async function dockerPorts(): Promise<{ kafka: number; redis: number } | undefined> {
  return (await askDocker(['compose'])).is === 'ready' ? composePorts() : undefined;
}

/** The three as one value for the command line. */
export const stackCommand = { up, down, status };
