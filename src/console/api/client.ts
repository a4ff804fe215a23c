/**
 * Calls to the API. The API key stays in the memory of this module. It is exchanged for a token, which is renewed before it
 * expires, and once when the server refuses it. Errors are `ApiFault`: the code, the message and the data of the error.
 */
import type { Envelope, ErrorEnvelope, Token } from './types.ts';

export class ApiFault extends Error {
  readonly status: number;
  readonly code: string;
  readonly data: Record<string, unknown>;

  constructor(status: number, code: string, message: string, data: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.data = data;
  }
}

export type Credentials = { apiKey: string; oid: string | null; uid: string | null };

const EXTENSION = 'ext-reliable-tasking';
/** A token is renewed when it has less than this left. */
const RENEW_MS = 5 * 60_000;
const REQUEST_MS = 20_000;
/** Parts of a message that are meant for programs: the error code of hives, and the advice on idempotency keys. */
const FOR_PROGRAMS = /^lc_error_code:\S+ - |; with the same idempotency key a retry is safe/g;

let credentials: Credentials | null = null;
let token: { text: string; expiresAtMs: number } | null = null;
let renewing: Promise<string> | null = null;
let onFault: (fault: ApiFault) => void = () => {};

/** Calls the listener with each fault of a signed-in user, before the caller gets it. */
export function watchFaults(listener: (fault: ApiFault) => void): void {
  onFault = listener;
}

/** Checks the credentials by requesting a token. Throws ApiFault if they are wrong. */
export async function signIn(given: Credentials): Promise<void> {
  credentials = given;
  token = null;
  await bearer();
}

export function signOut(): void {
  credentials = null;
  token = null;
}

async function bearer(): Promise<string> {
  if (token && token.expiresAtMs - Date.now() > RENEW_MS) return token.text;
  renewing ??= renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function renew(): Promise<string> {
  if (!credentials) throw new ApiFault(401, 'token_missing', 'Sign in first.');
  const { apiKey, oid, uid } = credentials;
  const form = new URLSearchParams({ secret: apiKey });
  if (oid) form.set('oid', oid);
  if (uid) form.set('uid', uid);
  const { jwt } = await send<Token>('/', { method: 'POST', body: form });
  token = { text: jwt, expiresAtMs: expiryOf(jwt) };
  return jwt;
}

function expiryOf(jwt: string): number {
  const claims = JSON.parse(atob((jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));
  return Number(claims.exp) * 1000;
}

/** One request with the token. */
export function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  return authorized((bearer) => send<T>(path, withToken(init, bearer)));
}

/** The raw response, for streams and downloads. Throws ApiFault when it is not 2xx. */
export function open(path: string, init: RequestInit = {}): Promise<Response> {
  return authorized(async (bearer) => {
    const response = await fetch(path, withToken(init, bearer));
    if (!response.ok) throw await faultOf(response);
    return response;
  });
}

/** A refused token is renewed once, even if several requests were refused. */
async function authorized<T>(ask: (bearer: string) => Promise<T>): Promise<T> {
  try {
    const first = await bearer();
    try {
      return await ask(first);
    } catch (error) {
      if (!(error instanceof ApiFault) || error.status !== 401) throw error;
      if (token?.text === first) token = null;
      return await ask(await bearer());
    }
  } catch (error) {
    if (error instanceof ApiFault) onFault(error);
    throw error;
  }
}

/** Runs an action of the extension for an org and returns its data. */
export async function action<T>(oid: string, name: string, data: object, signal?: AbortSignal): Promise<T> {
  const body = JSON.stringify({ oid, action: name, data });
  const headers = { 'content-type': 'application/json' };
  const init: RequestInit = { method: 'POST', headers, body, ...(signal ? { signal } : {}) };
  return (await call<Envelope<T>>(`/v1/extension/request/${EXTENSION}`, init)).data;
}

function withToken(init: RequestInit, bearer: string): RequestInit {
  return { ...init, headers: { ...init.headers, authorization: `Bearer ${bearer}` } };
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  const timeout = AbortSignal.timeout(REQUEST_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiFault(0, 'unreachable', 'The server does not answer. Check that it is running and reachable.');
  }
  if (!response.ok) throw await faultOf(response);
  const text = await response.text();
  return (text === '' ? {} : JSON.parse(text)) as T;
}

async function faultOf(response: Response): Promise<ApiFault> {
  const body = (await response.json().catch(() => ({}))) as Partial<ErrorEnvelope>;
  return new ApiFault(
    response.status,
    body.error_code ?? 'internal_error',
    body.error?.replace(FOR_PROGRAMS, '') ?? `The server responded with status ${response.status}.`,
    body.data,
  );
}
