/**
 * The exit codes, and which of them each error code has: the one table, of which help and docs/cli.md show what it says. A
 * code that the server gave keeps its name; its exit code follows from its HTTP status, unless it stands here.
 */
import { ERROR_CODES } from '../errors.ts';

/** Exit codes, the same for every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3, invalid: 4, rateLimited: 5, unavailable: 6 } as const;

export const EXIT_MEANINGS: readonly [number, string][] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'failed for another reason'],
  [EXIT.usage, 'wrong usage, wrong settings, or no right to do this'],
  [EXIT.notFound, 'there is no such thing'],
  [EXIT.invalid, 'the request is not valid: selector, ttl, command line …'],
  [EXIT.rateLimited, 'too many requests: try again later'],
  [EXIT.unavailable, 'the server, Kafka or Redis does not answer now'],
];

/** Codes that the command line gives itself. */
export const CLI_CODES = {
  usage: [EXIT.usage, 'The command, an argument, an option or a setting of the command line is wrong.'],
  config_invalid: [EXIT.usage, 'A setting of the server, read from the environment, is wrong or missing.'],
  failed: [EXIT.failed, 'Something that nobody foresaw; the sentence says what.'],
  not_confirmed: [
    EXIT.failed,
    'The answer to the question was neither the number of sensors nor yes. Nothing was changed.',
  ],
  stopped: [EXIT.failed, 'Ctrl-C or SIGTERM came before the command was done.'],
  not_our_server: [EXIT.failed, 'What answers at the URL is not Reliable Tasking.'],
  unavailable: [EXIT.unavailable, 'The server, Kafka, Redis or the registry does not answer now.'],
  stack_unavailable: [EXIT.unavailable, 'Nothing here can run Kafka and Redis; the sentence says what is missing.'],
  stack_down: [EXIT.unavailable, '`stack status`: the stack is not up.'],
  org_unknown: [EXIT.notFound, 'There is no such org.'],
  org_exists: [EXIT.invalid, 'There is an org with this id already.'],
  key_unknown: [EXIT.notFound, 'There is no API key of that name.'],
  key_exists: [EXIT.invalid, 'There is an API key of that name already.'],
  not_found: [EXIT.notFound, 'There is no such dead letter; from the server: no such path.'],
  already_redriven: [EXIT.invalid, 'The dead letter went out before; `--again` sends it once more.'],
  not_redrivable: [EXIT.invalid, 'The dead letter has no topic that it could go back to.'],
  redrive_overtaken: [EXIT.failed, 'Another redrive began, and does the rest.'],
  unhealthy: [EXIT.failed, '`doctor` found something wrong.'],
  rebuilding: [EXIT.unavailable, '`verify`: the projection is being rebuilt, or no projector runs.'],
  differences: [EXIT.failed, '`verify`: Redis is not what the log says.'],
  schema_incompatible: [EXIT.failed, '`schemas`: the registry has a version that does not fit.'],
  not_subscribed: [EXIT.invalid, 'The org is not subscribed to the extension.'],
  rule_invalid: [EXIT.invalid, 'A rule cannot run; the sentence has the path to the fault.'],
  not_converted: [EXIT.failed, '`extension convert_rules`: some rules are not converted.'],
} as const satisfies Record<string, readonly [number, string]>;

export type CliCode = keyof typeof CLI_CODES;

const isCliCode = (code: string): code is CliCode => Object.hasOwn(CLI_CODES, code);

/** The exit code for an error of the server: `status` is that of its answer. */
export const exitCodeOf = (code: string, status: number): number =>
  isCliCode(code) ? CLI_CODES[code][0] : exitCodeOfStatus(status);

/** The codes of the server that have no line of their own above, each with its exit code and what it means. */
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
