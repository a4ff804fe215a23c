// Identifies a recorded process. A pid alone is not enough: after a crash or a reboot the system gives it to another process,
// which must not be ended. Pid and start time together are unique.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process as written to a state file. `startedAt` is opaque: only equality counts. */
export type ProcessMark = { pid: number; startedAt: string };

/** The 22nd field of a line of /proc/PID/stat (start time in clock ticks since boot). The 2nd field is the program's name in
 *  brackets and may hold blanks and brackets itself, so the count goes from its last closing one. */
export function startTimeFromStat(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  return state === undefined || state === 'Z' || state === 'X' ? undefined : fields[19];
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** When the process started, or undefined when none of this pid runs (a zombie doesn't run). */
export function startTime(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const ticks = startTimeFromStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      return ticks === undefined ? undefined : `${bootId()}/${ticks}`;
    }
    const answer = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return answer.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The mark of a process that runs now, or undefined when it has ended already. */
export function markOf(pid: number): ProcessMark | undefined {
  const startedAt = startTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** True when the marked process still runs. */
export function isAlive(mark: ProcessMark): boolean {
  return startTime(mark.pid) === mark.startedAt;
}

/** Ends a marked process: SIGTERM, and SIGKILL when it is still there after `graceMs`. Does nothing to another process with
 *  its pid. Resolves when it is gone. */
export async function endMarked(mark: ProcessMark, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  let signal: NodeJS.Signals | undefined = 'SIGTERM';
  while (isAlive(mark)) {
    if (signal !== undefined) {
      try {
        process.kill(mark.pid, signal);
      } catch {
        return; // gone between the look and the kill
      }
      signal = undefined;
    }
    await delay(50);
    if (Date.now() > deadline) signal = 'SIGKILL';
  }
}
