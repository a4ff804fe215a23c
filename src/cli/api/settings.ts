/**
 * The server and the credentials. Each setting comes from its flag, else from the environment (RT_URL, RT_OID, RT_API_KEY, RT_UID),
 * else from the profile, a JSON file {"url", "oid", "api_key", "uid"} in the user's configuration folder. A uid belongs to a key:
 * a uid from a later source than the key belongs to another key and is ignored. The key is never shown.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isUuid } from '../../model/ids.ts';
import { usageError } from '../errors.ts';

/** `uid` is the user of a user key. */
export type ApiSettings = { url: string; oid: string; apiKey: string; uid?: string | undefined };

export type ApiFlags = { url?: string; oid?: string; apiKey?: string; uid?: string };

type Env = Record<string, string | undefined>;

const DEFAULT_URL = 'http://127.0.0.1:8080';

export const profilePath = (env: Env): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'reliable-tasking', 'config.json');

/** Throws a usage error that names the missing or wrong setting. The profile is read only if a setting is still missing. */
export function readApiSettings(flags: ApiFlags, env: Env): ApiSettings {
  const given = {
    url: flags.url ?? nonEmpty(env.RT_URL),
    oid: flags.oid ?? nonEmpty(env.RT_OID),
    apiKey: flags.apiKey ?? nonEmpty(env.RT_API_KEY),
  };
  const profile = Object.values(given).includes(undefined) ? readProfile(profilePath(env)) : {};
  const oid = given.oid ?? profile.oid;
  const apiKey = given.apiKey ?? profile.api_key;
  if (!oid) throw missing('org', '--oid', 'RT_OID', env);
  if (!isUuid(oid)) throw usageError(`The org id must be a UUID, not '${oid}'.`);
  if (!apiKey) throw missing('API key', '--api-key', 'RT_API_KEY', env);
  return { url: checkUrl(given.url ?? profile.url ?? DEFAULT_URL), oid, apiKey, uid: uidOf(flags, env, profile) };
}

function uidOf(flags: ApiFlags, env: Env, profile: Profile): string | undefined {
  const inEnv = flags.apiKey === undefined ? nonEmpty(env.RT_UID) : undefined;
  const inProfile = flags.apiKey === undefined && !env.RT_API_KEY ? profile.uid : undefined;
  return nonEmpty(flags.uid ?? inEnv ?? inProfile);
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function missing(what: string, flag: string, variable: string, env: Env): Error {
  return usageError(`No ${what} is set.`, `Use ${flag}, set ${variable}, or write it to ${profilePath(env)}.`);
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw usageError(`'${text}' is not an http or https URL.`, `Use a URL like ${DEFAULT_URL}.`);
  }
  return text.replace(/\/+$/, '');
}

type Profile = { url?: string; oid?: string; api_key?: string; uid?: string };

function readProfile(path: string): Profile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw usageError(`${path} can't be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  const fields = parseObject(text);
  if (!fields) throw usageError(`${path} is not a JSON object.`, 'Write {"url": …, "oid": …, "api_key": …}.');
  for (const name of ['url', 'oid', 'api_key', 'uid']) {
    if (name in fields && typeof fields[name] !== 'string') throw usageError(`${path}: ${name} must be text.`);
  }
  return fields;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
