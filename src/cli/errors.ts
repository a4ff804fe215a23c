/**
 * How a command ends: one table of exit codes, and errors that a person can act on. An error has a stable code (those of
 * the API, where it comes from there), a sentence, and where it helps a hint. Stacks are never shown.
 */
import { ApiError } from '../errors.ts';

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

export class CliError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: string, sentence: string, options: { exitCode: number; hint?: string | undefined }) {
    super(sentence);
    this.name = 'CliError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode;
  }
}

export const usageError = (sentence: string, hint?: string): CliError =>
  new CliError('usage', sentence, { exitCode: EXIT.usage, hint });

/** What to try, for codes where the server's sentence cannot know it. */
const HINTS: Readonly<Record<string, string>> = {
  key_invalid: 'Check --oid and the API key (RT_API_KEY, or the profile); a user key needs --uid (RT_UID).',
  forbidden: 'The key may lack the right, or belong to another org.',
  task_unknown: 'See which tasks there are: list, or list --state ended.',
  sensor_unknown: 'See which sensors there are: sensors list.',
  unavailable: 'Check that Kafka and Redis run, KAFKA_BROKERS and REDIS_URL; doctor says which does not answer.',
  rate_limited: 'Wait a minute, or use another key.',
  not_subscribed: 'Subscribe the org to ext-reliable-tasking first.',
};

/** The exit code for an HTTP status that is not 2xx. */
export function exitCodeOfStatus(status: number): number {
  if (status === 401 || status === 403) return EXIT.usage;
  if (status === 404) return EXIT.notFound;
  if (status === 429) return EXIT.rateLimited;
  if (status === 502 || status === 503 || status === 504) return EXIT.unavailable;
  return status >= 400 && status < 500 ? EXIT.invalid : EXIT.failed;
}

/** An answer of the API that is no success. `body` is whatever came, parsed where it was JSON. */
export function errorOfAnswer(status: number, body: unknown): CliError {
  const { error, error_code: code } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const sentence = typeof error === 'string' && error !== '' ? error : `The server answered with status ${status}.`;
  const name = typeof code === 'string' ? code : `http_${status}`;
  return new CliError(name, sentence, { exitCode: exitCodeOfStatus(status), hint: HINTS[name] });
}

/** Anything thrown, as an error to show. Of what nobody foresaw only the message is kept. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof ApiError) {
    const exitCode = error.code === 'config_invalid' ? EXIT.usage : exitCodeOfStatus(error.status);
    return new CliError(error.code, error.message, { exitCode, hint: HINTS[error.code] });
  }
  const sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name.startsWith('KafkaJS')) {
    return new CliError('unavailable', `Kafka: ${sentence}`, {
      exitCode: EXIT.unavailable,
      hint: 'Check KAFKA_BROKERS.',
    });
  }
  if (error instanceof Error && error.name === 'CodecError') {
    const { code } = error as Error & { code: string };
    const exitCode = code === 'unavailable' ? EXIT.unavailable : EXIT.failed;
    return new CliError(code, sentence, { exitCode, hint: 'Check SCHEMA_REGISTRY_URL.' });
  }
  return new CliError('failed', sentence, { exitCode: EXIT.failed });
}
