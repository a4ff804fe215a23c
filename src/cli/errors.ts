/**
 * Errors of commands. An error has a stable code (codes.ts, or a code of the API), a message and, where it helps, a hint.
 * Stack traces are never shown.
 */
import { ApiError } from '../errors.ts';
import { CLI_CODES, type CliCode, exitCodeOf } from './codes.ts';

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

/** An error of the command line, with the exit code of its error code. */
export const cliError = (code: CliCode, sentence: string, hint?: string): CliError =>
  new CliError(code, sentence, { exitCode: CLI_CODES[code][0], hint });

export const usageError = (sentence: string, hint?: string): CliError => cliError('usage', sentence, hint);

/** Hints for error codes of the server that only the command line can give. */
const HINTS: Readonly<Record<string, string>> = {
  key_invalid: 'Check --oid and the API key (RT_API_KEY, or the profile). A user key needs --uid (RT_UID).',
  forbidden: 'The API key lacks the right, or belongs to another org.',
  task_unknown: 'List the tasks: {rt} list, or {rt} list --state ended.',
  sensor_unknown: 'List the sensors: {rt} sensors list.',
  unavailable:
    'Check that Kafka and Redis are running, and check KAFKA_BROKERS and REDIS_URL. {rt} doctor shows which one does not answer.',
  rate_limited: 'Wait a minute, or use another API key.',
  not_subscribed:
    'A key with the right ext.sub can subscribe it: POST /v1/orgs/OID/subscription/extension/ext-reliable-tasking.',
};

/** The error of an API answer that is not 2xx. `body` is the body, parsed if it was JSON. */
export function errorOfAnswer(status: number, body: unknown): CliError {
  const { error, error_code: code } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const sentence = typeof error === 'string' && error !== '' ? error : `The server answered with status ${status}.`;
  const name = typeof code === 'string' ? code : `http_${status}`;
  return new CliError(name, sentence, { exitCode: exitCodeOf(name, status), hint: HINTS[name] });
}

/** Any thrown value as a CliError. Of an unexpected error only the message is kept. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof ApiError) {
    return new CliError(error.code, error.message, {
      exitCode: exitCodeOf(error.code, error.status),
      hint: HINTS[error.code],
    });
  }
  const sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name.startsWith('KafkaJS')) {
    return cliError('unavailable', `Kafka: ${sentence}`, 'Check KAFKA_BROKERS.');
  }
  if (error instanceof Error && error.name === 'CodecError') {
    const { code } = error as Error & { code: string };
    const exitCode = exitCodeOf(code, 400);
    return new CliError(code, sentence, { exitCode, hint: 'Check SCHEMA_REGISTRY_URL.' });
  }
  return cliError('failed', sentence);
}
