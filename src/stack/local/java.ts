// Finds the newest Java of the machine: JAVA_HOME, the PATH and the system's JVM folders are looked at, and the highest
// major version wins. A Java on macOS's PATH can be a stub that only asks to install one: it gives no version and is passed over.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

/** `command` runs it; `major` is 17, 21, 25, … (8 for the old 1.8). */
export type Java = { command: string; major: number };

/** The major version in the text of `java -version` or of a JDK's `release` file; undefined when there is none. */
export function javaMajor(text: string): number | undefined {
  const found = /(?:version "|JAVA_VERSION=")(?:1\.)?(\d+)/.exec(text);
  return found?.[1] === undefined ? undefined : Number(found[1]);
}

/** The newest that is at least `minimum`; of equals the first. */
export function newestJava(found: readonly Java[], minimum: number): Java | undefined {
  let best: Java | undefined;
  for (const java of found) {
    if (java.major >= minimum && java.major > (best?.major ?? 0)) best = java;
  }
  return best;
}

/** Folders that may be a Java home: JAVA_HOME first, then what the system keeps. */
function homes(env: NodeJS.ProcessEnv): string[] {
  const list = (folder: string, below: string) => {
    try {
      return readdirSync(folder).map((name) => join(folder, name, below));
    } catch {
      return [];
    }
  };
  const system = [...list('/usr/lib/jvm', ''), ...list('/Library/Java/JavaVirtualMachines', 'Contents/Home')];
  return env.JAVA_HOME ? [env.JAVA_HOME, ...system] : system;
}

function javaOfHome(home: string): Java[] {
  try {
    const major = javaMajor(readFileSync(join(home, 'release'), 'utf8'));
    return major === undefined ? [] : [{ command: join(home, 'bin', 'java'), major }];
  } catch {
    return [];
  }
}

async function javaOfPath(): Promise<Java[]> {
  try {
    const { all } = await execa('java', ['-version'], { timeout: 10_000, all: true });
    const major = javaMajor(all);
    return major === undefined ? [] : [{ command: 'java', major }];
  } catch {
    return [];
  }
}

/** The newest Java of at least `minimum`, or undefined. */
export async function findJava(minimum: number, env = process.env): Promise<Java | undefined> {
  const found = homes(env).flatMap(javaOfHome);
  return newestJava([...found, ...(await javaOfPath())], minimum);
}
