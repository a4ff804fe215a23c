/**
 * How a command ends: with errors that a person can act on. An error has a stable code (codes.ts; those of the API, where it
 * comes from there), a sentence, and where it helps a hint. Stacks are never shown.
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

/** An error of the command line's own, with the exit code of its code. */
export const cliError = (code: CliCode, sentence: string, hint?: string): CliError =>
  new CliError(code, sentence, { exitCode: CLI_CODES[code][0], hint });

export const usageError = (sentence: string, hint?: string): CliError => cliError('usage', sentence, hint);

/** What to try, for codes where the server's sentence cannot know it. */
const HINTS: Readonly<Record<string, string>> = {
  key_invalid: 'Check --oid and the API key (RT_API_KEY, or the profile); a user key needs --uid (RT_UID).',
  forbidden: 'The key may lack the right, or belong to another org.',
  task_unknown: 'See which tasks there are: {rt} list, or {rt} list --state ended.',
  sensor_unknown: 'See which sensors there are: {rt} sensors list.',
  unavailable: 'Check that Kafka and Redis run, KAFKA_BROKERS and REDIS_URL; {rt} doctor says which does not answer.',
  rate_limited: 'Wait a minute, or use another key.',
  not_subscribed: 'Who has the right ext.sub can: POST /v1/orgs/OID/subscription/extension/ext-reliable-tasking.',
};

/** An answer of the API that is no success. `body` is whatever came, parsed where it was JSON. */
export function errorOfAnswer(status: number, body: unknown): CliError {
  const { error, error_code: code } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const sentence = typeof error === 'string' && error !== '' ? error : `The server answered with status ${status}.`;
  const name = typeof code === 'string' ? code : `http_${status}`;
  return new CliError(name, sentence, { exitCode: exitCodeOf(name, status), hint: HINTS[name] });
}

/** Anything thrown, as an error to show. Of what nobody foresaw only the message is kept. */
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
