// Apache Kafka as a local process: one node that is broker and controller (KRaft), from Maven Central's jars. It can be
// stopped, killed and started again on the same folder and port with its records intact. The folder is formatted under another
// name and renamed, so a start that was cut short leaves no half-made storage behind.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, onSomePort } from '../ports.ts';
import { kafkaOfCluster } from '../probe.ts';
import { runTool } from '../process/tool.ts';
import { cached, fetchJars } from './downloads.ts';
import { findJava } from './java.ts';
import { log4jSettings, serverProperties } from './kafka-settings.ts';
import { type LocalServer, type LocalServerOptions, startListening } from './server.ts';

export const KAFKA_VERSION = '4.3.1';
const JAVA_MINIMUM = 17;
const HEAP = ['-Xms128m', '-Xmx512m'];
const READY_WITHIN_MS = 60_000;

/** The folder with Kafka's jars; fetched at the first call. */
export function kafkaLibs(log: (line: string) => void = () => {}): Promise<string> {
  return cached(`kafka-${KAFKA_VERSION}`, async (folder) => {
    log(`Fetching Kafka ${KAFKA_VERSION} from Maven Central (once, 55 MB)`);
    const artifacts = [
      `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
      `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
      // Kafka's jars speak to the log4j that they bring along only through this bridge; without it there is no log.
      'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4',
    ];
    await fetchJars(artifacts, folder, 'Kafka');
  });
}

async function kafkaJava(): Promise<string> {
  const java = await findJava(JAVA_MINIMUM);
  if (java === undefined) {
    throw new Error(
      `Java ${JAVA_MINIMUM} or newer is needed to run Kafka: install it (Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME.`,
    );
  }
  return java.command;
}

type Layout = { java: string; classPath: string; dir: string };

/** Makes the storage of an empty folder. Costs a JVM start, so it is done once a folder. */
async function format({ java, classPath, dir }: Layout, properties: string): Promise<void> {
  const data = join(dir, 'data');
  if (existsSync(data)) return;
  const part = join(dir, 'data.part');
  rmSync(part, { recursive: true, force: true });
  const formatProperties = join(dir, 'format.properties');
  writeFileSync(formatProperties, properties.replace(`log.dirs=${data}`, `log.dirs=${part}`));
  const jvm = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath];
  await runTool(java, [...jvm, 'kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', formatProperties], {
    timeout: READY_WITHIN_MS,
  });
  renameSync(part, data);
}

/** 128 random bits as Kafka writes them. A leading dash would be read as an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

function clusterIdOf(data: string): string {
  const id = /^cluster\.id=(.+)$/m.exec(readFileSync(join(data, 'meta.properties'), 'utf8'))?.[1];
  if (id === undefined) throw new Error(`${data} is not Kafka's: remove it, it has no cluster.id in meta.properties.`);
  return id.trim();
}

async function startOn(port: number, layout: Layout, options: LocalServerOptions): Promise<LocalServer> {
  const { java, classPath, dir } = layout;
  const properties = serverProperties({ port, controllerPort: await freePort(), dataDir: join(dir, 'data') });
  const propertiesFile = join(dir, 'server.properties');
  const logSettings = join(dir, 'log4j2.yaml');
  const logFile = join(dir, 'kafka.log');
  writeFileSync(propertiesFile, properties);
  writeFileSync(logSettings, log4jSettings(logFile));
  await format(layout, properties);
  const clusterId = clusterIdOf(join(dir, 'data'));
  const jvm = [...HEAP, '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-Djava.awt.headless=true'];
  return startListening(options, port, {
    name: 'Kafka',
    command: java,
    args: [...jvm, `-Dlog4j2.configurationFile=${logSettings}`, '-cp', classPath, 'kafka.Kafka', propertiesFile],
    outFile: join(dir, 'kafka.out.log'),
    answers: () => kafkaOfCluster(port, clusterId),
    deadlineMs: READY_WITHIN_MS,
    logFile,
  });
}

/** Starts Kafka on `dir` (made when it is not there) and resolves when it answers. Throws a sentence when Java or Maven is
 *  missing, or with the end of Kafka's log when it does not come up. */
export async function startLocalKafka(options: LocalServerOptions): Promise<LocalServer> {
  const java = await kafkaJava();
  const libs = join(await kafkaLibs(options.log), 'libs');
  mkdirSync(options.dir, { recursive: true });
  const layout = { java, classPath: join(libs, '*'), dir: options.dir };
  return onSomePort(options.port, (port) => startOn(port, layout, options));
}
