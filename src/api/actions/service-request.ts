/**
 * The request that older clients post to `/v1/service/{oid}/reliable-tasking`: base64 of JSON with the action and its fields in one
 * object, under older names. Pure.
 */
import { ApiError } from '../../errors.ts';
import { bytesOfBase64, textOfBytes } from '../http/base64.ts';
import { parseJson } from '../http/json.ts';

const WHAT = 'request_data must be the base64 text of a JSON object with the field action.';

/** The action and its data under the names of the extension: `inv_id` of a task is its context, the sid `*` means every sensor. Beside
 *  a selector the sid `*` stays, and the action refuses the two targets. Throws `data_invalid`. */
export function readServiceRequest(requestData: string): { action: string; data: Record<string, unknown> } {
  const { action, inv_id, sid, ...rest } = objectOf(requestData);
  if (typeof action !== 'string') throw new ApiError('data_invalid', WHAT);
  const context = inv_id === undefined ? {} : { [action === 'task' ? 'context' : 'inv_id']: inv_id };
  return { action, data: { ...rest, ...context, ...targetOf(sid, rest) } };
}

function targetOf(sid: unknown, { selector }: Record<string, unknown>): Record<string, unknown> {
  if (sid === '*' && (selector ?? '') === '') return { selector: '*' };
  return sid === undefined ? {} : { sid };
}

function objectOf(requestData: string): Record<string, unknown> {
  const value = parseJson(decoded(requestData), 'request_data', 'data_invalid');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ApiError('data_invalid', WHAT);
}

function decoded(requestData: string): string {
  const bytes = bytesOfBase64(requestData, WHAT);
  try {
    return textOfBytes(bytes);
  } catch (cause) {
    throw new ApiError('data_invalid', WHAT, { cause });
  }
}
