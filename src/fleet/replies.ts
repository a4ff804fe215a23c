/**
 * The bodies of answers: plausible content for each command with a reply. Commands that are not in the table are answered by a
 * RECEIPT with their output. No I/O.
 */
import { type FleetSensor, PLATFORM_CODES } from './sensor.ts';

export type Reply = { eventType: string; body: Record<string, unknown> };

type Body = (sensor: FleetSensor, words: string[]) => Record<string, unknown>;

const isWindows = (sensor: FleetSensor): boolean => sensor.facts.plat === PLATFORM_CODES.windows;

/** The word after one of `flags`, else the last word. */
function argument(words: string[], ...flags: string[]): string {
  const at = words.findIndex((word) => flags.includes(word));
  return (at < 0 ? words.at(-1) : words[at + 1]) ?? '';
}

const fileFacts: Body = (_, words) => ({
  FILE_PATH: argument(words, '-f', '--file'),
  FILE_SIZE: 2048,
  CREATION_TIME: 1735689600000,
});

const REPLIES: Readonly<Record<string, Body>> = {
  os_version: (sensor) => ({
    VERSION_MAJOR: isWindows(sensor) ? 10 : 6,
    VERSION_MINOR: isWindows(sensor) ? 0 : 8,
    COMPUTER_NAME: sensor.facts.hostname,
  }),
  os_processes: () => ({ PROCESSES: [{ PROCESS_ID: 1, FILE_PATH: '/sbin/init' }] }),
  os_services: () => ({ SVCS: [] }),
  os_packages: () => ({ PACKAGES: [] }),
  os_autoruns: () => ({ AUTORUNS: [] }),
  os_users: () => ({ USERS: [{ USER_NAME: 'alice' }] }),
  os_kill_process: (_, words) => ({ PROCESS_ID: Number(argument(words, '-p', '--pid')) || 0 }),
  dir_list: (_, words) => ({ DIRECTORY_LIST: [{ FILE_PATH: words[1] ?? '', FILE_SIZE: 0 }] }),
  dir_findhash: () => ({ DIRECTORY_LIST: [] }),
  file_get: (sensor, words) => ({
    FILE_PATH: argument(words, '-f', '--file'),
    FILE_CONTENT: Buffer.from(`${sensor.facts.hostname}\n`).toString('base64'),
  }),
  file_info: fileFacts,
  file_hash: (sensor, words) => ({ ...fileFacts(sensor, words), HASH: '0'.repeat(64) }),
  file_del: fileFacts,
  file_mov: fileFacts,
  mem_map: () => ({ MEMORY_MAP: [] }),
  mem_read: () => ({ MEMORY_DUMP: '' }),
  mem_strings: () => ({ STRINGSA: [], STRINGSW: [] }),
  mem_handles: () => ({ HANDLES: [] }),
  netstat: (sensor) => ({
    NETWORK_ACTIVITY: [
      {
        SOURCE: { IP_ADDRESS: sensor.facts.int_ip, PORT: 49152 },
        DESTINATION: { IP_ADDRESS: '192.0.2.10', PORT: 443 },
        STATE: 5,
      },
    ],
  }),
  dns_resolve: (_, words) => ({ DOMAIN_NAME: words.at(-1) ?? '', IP_ADDRESS: '192.0.2.20' }),
  log_get: () => ({ LOGS: [] }),
  reg_list: (_, words) => ({ REGISTRY_KEY: words[1] ?? '', REGISTRY_VALUES: [] }),
  history_dump: () => ({ COUNT: 0 }),
};

/** Commands with a reply, by their first word. */
export const REPLYING_COMMANDS: readonly string[] = Object.keys(REPLIES);

/** What the sensor answers when `task` succeeds, without its ERROR code. */
export function replyOf(task: string, sensor: FleetSensor): Reply {
  const words = task.trim().split(/\s+/);
  const command = words[0] ?? '';
  if (Object.hasOwn(REPLIES, command)) {
    return { eventType: `${command.toUpperCase()}_REP`, body: (REPLIES[command] as Body)(sensor, words) };
  }
  const printed = command === 'run' ? { STDOUT: `${sensor.facts.hostname}\n`, STDERR: '' } : {};
  return { eventType: 'RECEIPT', body: printed };
}
