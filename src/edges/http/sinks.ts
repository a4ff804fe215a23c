/**
 * The targets of outputs: webhooks and files. A host name that resolves to an address that is not public is refused when the
 * connection is opened, so that the checked address is the one that is used. Redirects are not followed. A file stays below the
 * folder of its org.
 */
import { lookup } from 'node:dns';
import { constants } from 'node:fs';
import { appendFile, mkdir, realpath } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { dirname, join, sep } from 'node:path';
import { faultOfStatus, OutputFault } from '../../responder/outputs/fault.ts';
import { isPublicAddress } from '../../responder/outputs/setting.ts';

export type SinkOptions = { outputDir: string; allowPrivate: boolean };

/** The file itself must not be a symbolic link, either. */
const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;

const ANSWER_MS = 5_000;
/** An id is as long as a sensor makes it; servers take few headers. */
const ID_MAX = 256;

export function createSinks({ outputDir, allowPrivate }: SinkOptions) {
  return {
    post: (url: string, headers: Record<string, string>, body: string, id: string): Promise<void> =>
      post(url, { ...headers, 'x-event-id': id.slice(0, ID_MAX).replace(/[^\x20-\x7e]/g, '?') }, body, allowPrivate),
    append: async (oid: string, path: string, lines: string): Promise<void> => {
      if (outputDir === '') throw new Error('OUTPUT_DIR is not set.');
      const home = join(outputDir, oid);
      const file = join(home, path);
      await mkdir(dirname(file), { recursive: true });
      // A symbolic link must not lead out of the org's folder.
      const [realHome, realFolder] = await Promise.all([realpath(home), realpath(dirname(file))]);
      if (!`${realFolder}${sep}`.startsWith(`${realHome}${sep}`)) throw new Error('The path leads out of OUTPUT_DIR.');
      await appendFile(file, lines, { flag: APPEND as never });
    },
  };
}

type LookupAnswer = (error: Error | null, address?: unknown, family?: number) => void;

/** Like the lookup of Node, without addresses that are not public. */
function publicLookup(hostname: string, options: object, answer: LookupAnswer): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return answer(error);
    const allowed = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = allowed;
    if (!first) return answer(new Error(`${hostname} has no public address.`));
    if ((options as { all?: boolean }).all) answer(null, allowed);
    else answer(null, first.address, first.family);
  });
}

function post(url: string, headers: Record<string, string>, body: string, allowPrivate: boolean): Promise<void> {
  // A literal address is never looked up.
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host))
    return Promise.reject(new OutputFault(`${host} is no public address.`, { isFinal: true }));
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp;
    const sent = request(
      url,
      {
        method: 'POST',
        timeout: ANSWER_MS,
        signal: AbortSignal.timeout(ANSWER_MS),
        headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        ...(allowPrivate ? {} : { lookup: publicLookup as never }),
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        response.on('close', () => (status >= 200 && status < 300 ? resolve() : reject(faultOfStatus(status))));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
