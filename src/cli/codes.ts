/**
 * The exit codes, and the exit code of each error code. Help and docs/cli.md are generated from this table. An error code of
 * the server keeps its name. Its exit code follows from its HTTP status, unless this table has the code.
 */
import { ERROR_CODES } from '../errors.ts';

/** Exit codes, the same for every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3, invalid: 4, rateLimited: 5, unavailable: 6 } as const;

export const EXIT_MEANINGS: readonly [number, string][] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'failed for another reason'],
  [EXIT.usage, 'wrong usage, wrong settings, or a missing right'],
  [EXIT.notFound, 'not found'],
  [EXIT.invalid, 'invalid request: selector, ttl, command line …'],
  [EXIT.rateLimited, 'too many requests: try again later'],
  [EXIT.unavailable, 'the server, Kafka or Redis is unavailable'],
];

/** Error codes of the command line. */
export const CLI_CODES = {
  usage: [EXIT.usage, 'The command, an argument, an option or a setting of the command line is wrong.'],
  config_invalid: [EXIT.usage, 'A setting of the server, read from the environment, is wrong or missing.'],
  failed: [EXIT.failed, 'An unexpected error. The message has the details.'],
  not_confirmed: [
    EXIT.failed,
    'The answer to the question was neither the number of sensors nor yes. Nothing was changed.',
  ],
  stopped: [EXIT.failed, 'Ctrl-C or SIGTERM ended the command early.'],
  not_our_server: [EXIT.failed, 'The server at the URL is not Reliable Tasking.'],
  unavailable: [EXIT.unavailable, 'The server, Kafka, Redis or the registry is unavailable.'],
  stack_unavailable: [EXIT.unavailable, 'This machine cannot run Kafka and Redis. The message says what is missing.'],
  stack_down: [EXIT.unavailable, '`stack status`: the stack is not running.'],
  org_unknown: [EXIT.notFound, 'The org does not exist.'],
  org_exists: [EXIT.invalid, 'An org with this id already exists.'],
  key_unknown: [EXIT.notFound, 'No API key has this name.'],
  key_exists: [EXIT.invalid, 'An API key with this name already exists.'],
  not_found: [EXIT.notFound, 'The dead letter does not exist. From the server: the path does not exist.'],
  already_redriven: [EXIT.invalid, 'The dead letter was redriven before. Use `--again` to redrive it once more.'],
  not_redrivable: [
    EXIT.invalid,
    'The dead letter cannot be redriven: its topic is unknown, or the record is too large or truncated.',
  ],
  redrive_overtaken: [EXIT.failed, 'Another redrive took over.'],
  unhealthy: [EXIT.failed, '`doctor`: a check failed.'],
  rebuilding: [EXIT.unavailable, '`verify`: the projection is being rebuilt, or no projector is running.'],
  differences: [EXIT.failed, '`verify`: Redis differs from the log.'],
  schema_incompatible: [EXIT.failed, '`schemas`: a schema is not compatible.'],
  not_subscribed: [EXIT.invalid, 'The org is not subscribed to the extension.'],
  rule_invalid: [EXIT.invalid, 'The rule cannot run. The message has the path to the fault.'],
  not_converted: [EXIT.failed, '`extension convert_rules`: some rules were not converted.'],
} as const satisfies Record<string, readonly [number, string]>;

export type CliCode = keyof typeof CLI_CODES;

const isCliCode = (code: string): code is CliCode => Object.hasOwn(CLI_CODES, code);

/** The exit code for an error of the server. `status` is the HTTP status of the answer. */
export const exitCodeOf = (code: string, status: number): number =>
  isCliCode(code) ? CLI_CODES[code][0] : exitCodeOfStatus(status);

/** The server's error codes that are not in the table above, with exit code and meaning. */
export const serverCodes = (): [code: string, exitCode: number, meaning: string][] =>
  Object.entries(ERROR_CODES)
    .filter(([code]) => !isCliCode(code))
    .map(([code, { status, summary }]) => [code, exitCodeOfStatus(status), summary]);

/** The exit code for an HTTP status that is not 2xx. */
export function exitCodeOfStatus(status: number): number {
  if (status === 401 || status === 403) return EXIT.usage;
  if (status === 404) return EXIT.notFound;
  if (status === 429) return EXIT.rateLimited;
  if (status === 502 || status === 503 || status === 504) return EXIT.unavailable;
  return status >= 400 && status < 500 ? EXIT.invalid : EXIT.failed;
}
