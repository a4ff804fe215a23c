// Things fetched once from Maven Central and kept in the cache folder. A download is built in a folder of its own and gets its
// final name by one rename, so what has that name is whole, whatever is killed and however many fetch at the same time (the
// second to finish throws its copy away).

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecaError } from 'execa';
import { cacheDir } from '../paths.ts';
import { runTool } from '../process/tool.ts';

const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const FETCH_BOUND_MS = 300_000;
const ABANDONED_MS = 3_600_000;

/** The folder `name` in the cache, filled by `fill` when it is not there yet. Rejects with what `fill` rejects with. */
export async function cached(
  name: string,
  fill: (folder: string) => Promise<void>,
  cache = cacheDir(),
): Promise<string> {
  const final = join(cache, name);
  if (existsSync(final)) return final;
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  const part = mkdtempSync(join(cache, `${name}.part-`));
  try {
    await fill(part);
    if (!existsSync(final)) renameSync(part, final);
  } catch (error) {
    if (!existsSync(final)) throw error; // else another process was faster, between the look and the rename
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return final;
}

function removeAbandoned(cache: string): void {
  for (const entry of readdirSync(cache)) {
    const path = join(cache, entry);
    if (!entry.includes('.part-')) continue;
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - modified > ABANDONED_MS) rmSync(path, { recursive: true, force: true });
  }
}

async function maven(args: readonly string[], what: string): Promise<void> {
  try {
    await runTool('mvn', ['-q', '-B', ...args], { timeout: FETCH_BOUND_MS });
  } catch (error) {
    const failure = error as ExecaError<object>;
    if (failure.code === 'ENOENT') {
      throw new Error(
        `Maven is needed to fetch ${what}: install it (Debian: apt install maven, macOS: brew install maven).`,
      );
    }
    if (failure.timedOut)
      throw new Error(`Fetching ${what} with Maven took more than ${FETCH_BOUND_MS / 60_000} minutes.`);
    const reasons = String(failure.stdout ?? '')
      .split('\n')
      .filter((line) => line.includes('[ERROR]'));
    throw new Error(`Maven could not fetch ${what}: ${reasons[0] ?? failure.shortMessage}`);
  }
}

/** `group:artifact:version`, and all that they need at run time, as jars in `folder`. */
export async function fetchJars(artifacts: readonly string[], folder: string, what: string): Promise<void> {
  const pom = join(folder, 'pom.xml');
  writeFileSync(pom, pomOf(artifacts));
  const goal = `${DEPENDENCY_PLUGIN}:copy-dependencies`;
  await maven(['-f', pom, goal, '-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'libs')}`], what);
}

/** Unpacks `group:artifact:version[:type[:classifier]]` into `folder`; `includes` is a Maven pattern of the files wanted. */
export async function fetchUnpacked(artifact: string, folder: string, what: string, includes = '**'): Promise<void> {
  // Run in the folder, so that a pom.xml where the user happens to be is not read.
  const pom = join(folder, 'pom.xml');
  writeFileSync(pom, pomOf([]));
  const goal = `${DEPENDENCY_PLUGIN}:unpack`;
  const target = [`-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`, `-Dmdep.unpack.includes=${includes}`];
  await maven(['-f', pom, goal, ...target], what);
}

/** A pom that does nothing but name what it depends on. */
export function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>reliabletasking</groupId><artifactId>stack</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependencies.join('\n')}
</dependencies></project>
`;
}
