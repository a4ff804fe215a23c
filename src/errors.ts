/**
 * The one table of error codes. A code never changes its meaning. It is in HTTP answers (`error_code`) and in dead
 * letters (`rt-error-code`). `retriable`: the same request may succeed later.
 */

type ErrorKind = { status: number; retriable: boolean; summary: string };

const kind = (status: number, retriable: boolean, summary: string): ErrorKind => ({ status, retriable, summary });

export const ERROR_CODES = {
  // requests
  bad_request: kind(400, false, 'The request is malformed.'),
  body_too_large: kind(413, false, 'The body is larger than BODY_MAX_BYTES, or holds too many values.'),
  headers_too_large: kind(431, false, 'The address and the headers are too large.'),
  request_timeout: kind(408, true, 'The request did not arrive in time.'),
  unsupported_media_type: kind(415, false, 'The content type is neither a form nor JSON.'),
  not_found: kind(404, false, 'There is no such path.'),
  internal_error: kind(500, true, 'A fault of the server; its log has the details.'),
  unavailable: kind(
    503,
    true,
    'Kafka, Redis or the projection cannot answer now, or too many request bodies are in progress.',
  ),
  rate_limited: kind(
    429,
    true,
    'The key has reached its limit of requests per minute, event streams or concurrent body bytes, or too many requests for a token failed.',
  ),
  config_invalid: kind(500, false, 'A setting is wrong.'),
  // identity
  token_missing: kind(401, false, 'The Authorization header with a Bearer token is missing.'),
  token_invalid: kind(401, false, 'The token is malformed, expired or not ours.'),
  key_invalid: kind(401, false, 'The org and the API key do not belong together.'),
  forbidden: kind(403, false, 'The token does not name this org, or lacks the right.'),
  // extension requests
  action_unknown: kind(400, false, 'The extension has no such action.'),
  extension_unknown: kind(400, false, 'There is no such extension.'),
  not_subscribed: kind(400, false, 'The org is not subscribed to the extension.'),
  data_invalid: kind(400, false, 'The data is not a JSON object, or a field is wrong.'),
  field_unknown: kind(400, false, 'The action has no such field. The data of the error has the nearest one.'),
  task_missing: kind(400, false, 'The command line is missing.'),
  task_too_large: kind(400, false, 'The command line is larger than TASK_MAX_BYTES.'),
  ttl_invalid: kind(400, false, 'The ttl is not a whole number of seconds in range.'),
  target_ambiguous: kind(400, false, 'More than one of sid, tag, selector is given.'),
  target_missing: kind(400, false, 'Neither a target nor a task id is given.'),
  task_unknown: kind(404, false, 'The org has no such task.'),
  task_not_for_sensor: kind(409, false, 'The task was not sent to this sensor, and does not wait for it.'),
  sensor_offline: kind(409, true, 'The sensor is offline, and a command for now is not queued.'),
  sensor_unknown: kind(404, false, 'The org has no such sensor.'),
  sensor_ambiguous: kind(
    409,
    false,
    'Several orgs of the token have a sensor with this sid, and the query has no oid.',
  ),
  idempotency_conflict: kind(409, false, 'The idempotency key was used with other content.'),
  // settings
  etag_mismatch: kind(409, false, 'The setting has changed since it was read.'),
  setting_invalid: kind(400, false, 'The name or kind of a setting is not valid.'),
  setting_too_large: kind(413, false, 'The value of a setting is larger than a record can be.'),
  // selectors
  selector_syntax: kind(400, false, 'The selector does not parse.'),
  selector_unknown_field: kind(400, false, 'The selector names a field that no sensor has.'),
  selector_too_long: kind(400, false, 'The selector is too long.'),
  selector_too_deep: kind(400, false, 'The selector is nested too deeply.'),
  selector_too_many_terms: kind(400, false, 'The selector has too many terms.'),
  selector_bad_string: kind(400, false, 'A quoted text of the selector is not closed, or has an unknown escape.'),
  selector_bad_number: kind(400, false, 'A number of the selector is not written as a number.'),
  selector_bad_regex: kind(400, false, 'A regular expression of the selector is not valid.'),
  selector_regex_too_long: kind(400, false, 'A regular expression of the selector has too many characters.'),
  selector_regex_too_large: kind(400, false, 'A regular expression of the selector compiles to too many steps.'),
  // rules and hives
  rule_invalid: kind(400, false, 'The rule cannot run as it is written. The message has the path to the fault.'),
  hive_unknown: kind(400, false, 'There is no such hive.'),
  hive_full: kind(400, false, 'The hive holds as much as it may hold.'),
  record_not_found: kind(400, false, 'The hive has no such record.'),
  record_exists: kind(400, false, 'The hive has a record of that name already.'),
  hive_listing_too_large: kind(413, false, 'The listing is too large for one answer: ask for pages.'),
  invalid_cursor: kind(400, false, 'The cursor is not one that this listing gave.'),
  // outputs
  output_invalid: kind(400, false, 'The output is neither a webhook nor a file that may be used.'),
  output_undelivered: kind(503, true, 'The output did not take the event.'),
  output_unknown: kind(404, false, 'The output is not sent on anywhere.'),
  // records
  record_undecodable: kind(400, false, 'The bytes are not a record of this topic.'),
  schema_unknown: kind(400, false, 'The schema that wrote the record is not known.'),
  record_too_large: kind(413, false, 'The record, or the compressed batch that contains it, exceeds the size limit.'),
  record_invalid: kind(400, false, 'A field of the record is not valid.'),
  field_too_long: kind(400, false, 'A fact of the sensor exceeds its maximum length.'),
  nested_too_deep: kind(400, false, 'The routing or the event of a sensor event is nested too deeply.'),
  key_mismatch: kind(400, false, "The record's key is not its task_id or sid."),
  org_unknown: kind(400, false, 'The org is not known.'),
  oid_invalid: kind(400, false, 'The oid is not a UUID.'),
  sid_invalid: kind(400, false, 'The sid is not 1 to 128 characters of A-Z a-z 0-9 . _ : -'),
  task_id_invalid: kind(400, false, 'The task_id is not 1 to 128 characters of A-Z a-z 0-9 . _ : -'),
  issued_at_invalid: kind(400, false, 'issued_at is earlier than 2020. It must be in milliseconds, not in seconds.'),
  issued_in_future: kind(400, false, 'issued_at is more than five minutes after the append time.'),
  task_id_conflict: kind(409, false, 'The task id was used with other content, or the task was removed.'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with a stable code, a sentence that says what to do, and optional data for programs. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly data: Record<string, unknown>;
  /** Seconds for `Retry-After`, where waiting helps. */
  readonly retryAfterSeconds: number | undefined;
  /** Headers of an HTTP answer, sent in this spelling. */
  readonly headers: Record<string, string>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      data?: Record<string, unknown>;
      retryAfterSeconds?: number;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ApiError';
    this.code = code;
    this.data = options.data ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  get retriable(): boolean {
    return ERROR_CODES[this.code].retriable;
  }
}

/** Kafka, Redis or the projection cannot answer now; nothing is known to have been accepted. */
export function unavailable(what: string, cause?: unknown): ApiError {
  return new ApiError('unavailable', `${what} Try again in a moment.`, { retryAfterSeconds: 2, cause });
}

/** Adds `advice` to the error of a write that failed: it may have been accepted nevertheless, and a retry would repeat it. Other
 *  errors are returned unchanged. */
export function inDoubt(error: unknown, advice: string): unknown {
  if (!(error instanceof ApiError) || error.code !== 'unavailable') return error;
  const { message, retryAfterSeconds = 2, cause } = error;
  return new ApiError('unavailable', `${message} ${advice}`, { retryAfterSeconds, cause });
}
