/**
 * Every error in the one envelope of the API: a sentence, a stable code, whether a retry can help. Errors of the framework are mapped
 * to codes. Any other error is `internal_error`, and its text is only in the log.
 */
import { ApiError, type ErrorCode } from '../../errors.ts';

export type ErrorBody = {
  error: string;
  error_code: string;
  retriable: boolean;
  version: 1;
  data: Record<string, unknown>;
};

export const errorBody = (error: ApiError): ErrorBody => ({
  error: error.message,
  error_code: error.code,
  retriable: error.retriable,
  version: 1,
  data: error.data,
});

/** As clients of hives read it: the code in capitals, in the sentence too. */
export const hiveErrorBody = (error: ApiError): ErrorBody => ({
  ...errorBody(error),
  error: `lc_error_code:${error.code.toUpperCase()} - ${error.message}`,
  error_code: error.code.toUpperCase(),
});

/** Codes of the framework for which there is a more precise code than `bad_request`. */
const FRAMEWORK_CODES: Readonly<Record<string, [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'The body is larger than this server takes: send less at once.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'Send the body as application/x-www-form-urlencoded or application/json.',
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: ['bad_request', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['bad_request', 'The body is empty, though it is announced as JSON: send an object.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', 'The body has another length than Content-Length says.'],
  FST_ERR_MAX_PARAM_LENGTH: ['bad_request', 'A name in the path is too long.'],
  FST_ERR_BAD_URL: ['bad_request', 'The path has a percent sign that encodes nothing.'],
};

/** `error` as an ApiError: it is one already, or one of the framework, or an internal error. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FRAMEWORK_CODES[code] : undefined;
  if (known) return new ApiError(known[0], known[1], { cause: error });
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new ApiError('bad_request', 'The request cannot be read: check its path, headers and body.', {
      cause: error,
    });
  return new ApiError('internal_error', 'The server made a mistake; its log says which. Try again later.', {
    cause: error,
  });
}
