/** Calls REST like curl: bodies are sent as written, not encoded. It requests one token. */
import { EXTENSION } from '../orgs/table.ts';

export type Rest = { post(action: string, data: string): Promise<Record<string, unknown>> };

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const REQUEST_MS = 5_000;

/** Returns the `data` of the envelope. Throws with the message of the server. A request may take `REQUEST_MS`. */
export async function openRest(url: string, oid: string, apiKey: string, stopped: AbortSignal): Promise<Rest> {
  const send = async (path: string, headers: Record<string, string>, body: string) => {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(REQUEST_MS)]);
    const response = await fetch(url + path, { method: 'POST', headers: { ...FORM, ...headers }, body, signal });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok)
      throw new Error(`POST ${path} with ${withoutKey(body, apiKey)}: ${response.status} ${answer.error}`);
    return answer;
  };
  const { jwt } = await send('/', {}, `oid=${oid}&secret=${apiKey}`);
  return {
    async post(action, data) {
      const body = `oid=${oid}&action=${action}&data=${data}`;
      const answer = await send(`/v1/extension/request/${EXTENSION}`, { authorization: `Bearer ${jwt}` }, body);
      return answer.data as Record<string, unknown>;
    },
  };
}

const withoutKey = (body: string, apiKey: string): string => body.replaceAll(apiKey, '***');
