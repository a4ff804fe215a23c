/**
 * The targets of outputs besides the topic: a webhook, or a file of the org below OUTPUT_DIR. They are settings of kind OUTPUT. Pure.
 */
import { isIP } from 'node:net';
import { ApiError } from '../../errors.ts';
import { isInside, isPublic, networks, parseAddress } from '../../rules/addresses.ts';

export type OutputTarget =
  | { type: 'webhook'; url: string; headers: Record<string, string> }
  /** `path` is relative to the folder of the org in OUTPUT_DIR. */
  | { type: 'file'; path: string };

export type OutputRules = { outputDir: string; allowPrivate: boolean };

const NAME_MAX = 128;
const URL_MAX = 2_048;
const HEADERS_MAX = 20;
const HEADER_MAX = 2_048;
const PATH_PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const HEADER_NAME = /^[A-Za-z0-9-]{1,64}$/;
/** Headers that the HTTP client sets itself. */
const OWN_HEADERS = /^(host|connection|content-length|content-type|transfer-encoding|expect|upgrade|te|trailer)$/i;

const refused = (sentence: string): ApiError => new ApiError('output_invalid', sentence);

export function checkOutputName(name: string): void {
  if (name === '' || name.length > NAME_MAX) throw refused(`The name of an output has 1 to ${NAME_MAX} characters.`);
}

/** Reads the target of a request or a setting. Throws `output_invalid`. */
export function readOutput(value: Readonly<Record<string, unknown>>, rules: OutputRules): OutputTarget {
  if (value.type === 'webhook') return readWebhook(value, rules);
  if (value.type === 'file') return readFileTarget(value, rules);
  throw refused('type must be webhook or file.');
}

function readWebhook({ url, headers }: Readonly<Record<string, unknown>>, { allowPrivate }: OutputRules): OutputTarget {
  if (typeof url !== 'string' || url.length > URL_MAX || !URL.canParse(url))
    throw refused('url must be an http or https URL.');
  const { protocol, hostname, username, password } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw refused('url must be an http or https URL.');
  if (username !== '' || password !== '') throw refused('url must not contain a user name or password: use a header.');
  refusePrivate(hostname, allowPrivate);
  return { type: 'webhook', url, headers: readHeaders(headers) };
}

/** Checks an address in the URL. Host names are checked when they are resolved. */
function refusePrivate(hostname: string, allowPrivate: boolean): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLocal = host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && !isPublicAddress(host));
  if (isLocal && !allowPrivate)
    throw refused('url has a private address: the operator allows these with OUTPUT_ALLOW_PRIVATE.');
}

/** Rules call these addresses public. But they are not routed, or they contain another address, which can be private. */
const RESERVED = networks(
  ...['0.0.0.0/8', '192.0.0.0/24', '198.18.0.0/15', '240.0.0.0/4'],
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'],
);

export function isPublicAddress(address: string): boolean {
  const bytes = parseAddress(address);
  return bytes !== null && isPublic(bytes) && !RESERVED.some((network) => isInside(bytes, network));
}

function readHeaders(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw refused('headers must be an object of texts.');
  const entries = Object.entries(value);
  for (const [name, text] of entries) {
    if (!HEADER_NAME.test(name) || OWN_HEADERS.test(name))
      throw refused(`headers must not contain "${name.slice(0, 64)}".`);
    if (typeof text !== 'string' || text.length > HEADER_MAX || !/^[\x20-\x7e]*$/.test(text))
      throw refused(`The header ${name} must be a text of at most ${HEADER_MAX} printable characters.`);
  }
  if (entries.length > HEADERS_MAX) throw refused(`headers has at most ${HEADERS_MAX} entries.`);
  return Object.fromEntries(entries);
}

function readFileTarget({ path }: Readonly<Record<string, unknown>>, { outputDir }: OutputRules): OutputTarget {
  if (outputDir === '') throw refused('Outputs to files need OUTPUT_DIR, which the operator has not set.');
  const parts = typeof path === 'string' ? path.split('/') : [];
  if (parts.length === 0 || parts.length > 8 || !parts.every((part) => PATH_PART.test(part)))
    throw refused('path must be a relative path of letters, digits, dot, dash and underscore, without a leading dot.');
  return { type: 'file', path: parts.join('/') };
}

/** The target as it is shown: the values of headers can be secret. */
export const shownOutput = (target: OutputTarget): Record<string, unknown> =>
  target.type === 'file'
    ? target
    : { ...target, headers: Object.fromEntries(Object.keys(target.headers).map((name) => [name, '***'])) };
