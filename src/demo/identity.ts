/**
 * The org of the demonstration and its secrets. They are created once and stored beside the data of the stack, so that a second
 * start uses the same org. Only the owner can read the file. This is for developer machines only: a server gets its secrets from
 * the environment.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isUuid } from '../model/ids.ts';

export type Identity = { oid: string; apiKey: string; jwtSecret: string; httpPort?: number };

const FILE = 'demo.json';

/** The identity in `folder`, or a new one if the file is missing or damaged. */
export function readIdentity(folder: string): Identity {
  return (
    stored(join(folder, FILE)) ?? {
      oid: randomUUID(),
      apiKey: randomUUID(),
      jwtSecret: randomBytes(32).toString('hex'),
    }
  );
}

export function keepIdentity(folder: string, identity: Identity): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify(identity, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function stored(path: string): Identity | undefined {
  try {
    const identity = JSON.parse(readFileSync(path, 'utf8')) as Partial<Identity>;
    const whole =
      isUuid(identity.oid ?? '') && isUuid(identity.apiKey ?? '') && /^[0-9a-f]{64}$/.test(identity.jwtSecret ?? '');
    return whole ? (identity as Identity) : undefined;
  } catch {
    return undefined;
  }
}
