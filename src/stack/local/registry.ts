// Apicurio Registry as a local process, in memory: a schema registry with Confluent's API, for tests of the wire format. It needs
// a newer Java than Kafka does, so not having one is an answer, not an error: tests can then be skipped with a reason.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, onSomePort } from '../ports.ts';
import { cached, fetchUnpacked } from './downloads.ts';
import { findJava } from './java.ts';
import { type LocalServerOptions, startListening } from './server.ts';

const VERSION = '3.3.3';
const JAVA_MINIMUM = 21;
const READY_WITHIN_MS = 90_000;

/** `url` goes into SCHEMA_REGISTRY_URL. `started: false` says in a sentence what to install. */
export type RegistryStart =
  | { started: true; url: string; port: number; pid: number; stop(): Promise<void> }
  | { started: false; reason: string };

async function registryFolder(log: (line: string) => void): Promise<string> {
  const folder = await cached(`apicurio-${VERSION}`, async (part) => {
    log(`Fetching Apicurio Registry ${VERSION} from Maven Central (once)`);
    await fetchUnpacked(`io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`, part, 'Apicurio Registry');
  });
  return withRunnable(folder) ?? folder;
}

/** The folder that holds quarkus-run.jar: the archive's root, or the one folder in it. */
function withRunnable(folder: string): string | undefined {
  const candidates = [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  return candidates.find((candidate) => existsSync(join(candidate, 'quarkus-run.jar')));
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Starts the registry, with its log in `dir`, and resolves when it answers. Throws when it can't be fetched or does not come up. */
export async function startLocalRegistry(options: LocalServerOptions): Promise<RegistryStart> {
  const java = await findJava(JAVA_MINIMUM);
  if (java === undefined) {
    return {
      started: false,
      reason: `The schema registry needs Java ${JAVA_MINIMUM} or newer: install it, or set JAVA_HOME.`,
    };
  }
  const app = await registryFolder(options.log ?? (() => {}));
  mkdirSync(options.dir, { recursive: true });
  return onSomePort(options.port, async (port) => {
    const settings = [
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      '-Dquarkus.management.host=127.0.0.1',
      `-Dquarkus.management.port=${await freePort()}`,
      '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
    ];
    const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
    const server = await startListening(options, port, {
      name: 'The schema registry',
      command: java.command,
      args: ['-Xmx384m', '-XX:+UseSerialGC', ...settings, '-jar', join(app, 'quarkus-run.jar')],
      outFile: join(options.dir, 'registry.log'),
      answers: () => answers(url),
      deadlineMs: READY_WITHIN_MS,
    });
    return { started: true, url, port, pid: server.pid, stop: server.stop };
  });
}
