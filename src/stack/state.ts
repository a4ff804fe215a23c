// What `.stack` keeps between starts: the ports and the running processes. `state.json` is replaced by a rename, so it is never half
// written. `owner.json` exists while a program owns the folder; it is created by a link, which only one program can win. Both name processes by pid and start time, so that a process of an earlier start is recognised with certainty.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackInUse } from './errors.ts';
import { isAlive, markOf, type ProcessMark } from './process/pids.ts';

/** A server process that was started on this folder. */
export type RecordedServer = ProcessMark & { port: number };

/** `detached`: the servers were asked to outlive their starter, so finding them alive is no accident. */
export type StackState = {
  source?: 'docker' | 'local';
  detached?: boolean;
  kafka?: RecordedServer;
  redis?: RecordedServer;
  ports?: { kafka?: number; redis?: number };
};

function replaceFile(path: string, text: string): void {
  const part = `${path}.${process.pid}`;
  writeFileSync(part, text);
  renameSync(part, path);
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined; // not there, or damaged: as if nothing were known
  }
}

export function readState(dir: string): StackState {
  return readJson<StackState>(join(dir, 'state.json')) ?? {};
}

/** Changes some fields; a field that is undefined is dropped. */
export function changeState(dir: string, change: { [K in keyof StackState]?: StackState[K] | undefined }): void {
  mkdirSync(dir, { recursive: true });
  replaceFile(join(dir, 'state.json'), `${JSON.stringify({ ...readState(dir), ...change }, undefined, 2)}\n`);
}

/** The recorded servers that still run. */
export function survivors(state: StackState): RecordedServer[] {
  return [state.kafka, state.redis].filter((server) => server !== undefined && isAlive(server)) as RecordedServer[];
}

/** The program that holds the folder now, or undefined. */
export function ownerOf(dir: string): ProcessMark | undefined {
  const owner = readJson<ProcessMark>(join(dir, 'owner.json'));
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

/** Takes the folder for this process, from a dead owner too. Returns what gives it back; throws StackInUse when another live process has it. */
export function takeOwnership(dir: string): () => void {
  mkdirSync(dir, { recursive: true });
  const lock = join(dir, 'owner.json');
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(markOf(process.pid)));
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        linkSync(mine, lock);
        return () => rmSync(lock, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = ownerOf(dir);
      if (owner !== undefined) throw new StackInUse(dir, owner.pid);
      rmSync(lock, { force: true });
    }
    throw new Error(`${lock} can't be taken.`);
  } finally {
    rmSync(mine, { force: true });
  }
}
