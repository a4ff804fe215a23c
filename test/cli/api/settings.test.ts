import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { profilePath, readApiSettings } from '../../../src/cli/api/settings.ts';
import { API_KEY, OID } from '../fixtures.ts';

const OTHER_OID = 'b5a9d0a0-6f6c-4b57-9f0f-3f3c1f7c2f11';
let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'rt-settings-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function writeProfile(text: string): void {
  const path = profilePath({ XDG_CONFIG_HOME: home });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe('the settings of the commands', () => {
  it('come from flags before the environment, and from the environment before the profile', () => {
    writeProfile(JSON.stringify({ url: 'http://profile', oid: OTHER_OID, api_key: 'profile-key' }));
    const env = { XDG_CONFIG_HOME: home, RT_URL: 'http://env', RT_OID: OID };
    expect(readApiSettings({ url: 'http://flag/' }, env)).toEqual({
      url: 'http://flag',
      oid: OID,
      apiKey: 'profile-key',
    });
    expect(readApiSettings({}, env).url).toBe('http://env');
    expect(readApiSettings({}, { XDG_CONFIG_HOME: home }).oid).toBe(OTHER_OID);
  });

  it('need no profile, and leave a damaged one alone when all is given', () => {
    writeProfile('{');
    const env = { XDG_CONFIG_HOME: home, RT_URL: 'http://env', RT_OID: OID, RT_API_KEY: API_KEY };
    expect(readApiSettings({}, env)).toEqual({ url: 'http://env', oid: OID, apiKey: API_KEY });
  });

  it.each<[string, { apiKey?: string; uid?: string }, Record<string, string>, string | undefined]>([
    ['the profile, with its key', {}, {}, 'profile-user'],
    ['the environment before the profile', {}, { RT_UID: 'env-user' }, 'env-user'],
    ['a flag before both', { uid: 'flag-user' }, { RT_UID: 'env-user' }, 'flag-user'],
    ['the environment beside its key', {}, { RT_API_KEY: 'env-key', RT_UID: 'env-user' }, 'env-user'],
    ['nowhere, where the key comes from before it', {}, { RT_API_KEY: 'env-key' }, undefined],
    ['nowhere, where a flag gives the key alone', { apiKey: 'flag-key' }, { RT_UID: 'env-user' }, undefined],
  ])('take the user of a key from %s', (_where, flags, env, uid) => {
    writeProfile(JSON.stringify({ oid: OID, api_key: 'profile-key', uid: 'profile-user' }));
    expect(readApiSettings(flags, { XDG_CONFIG_HOME: home, ...env }).uid).toBe(uid);
  });

  it('look for a server on this machine when no URL is given', () => {
    expect(readApiSettings({ oid: OID, apiKey: API_KEY }, { XDG_CONFIG_HOME: home }).url).toBe('http://127.0.0.1:8080');
  });

  it.each([
    [{}, /No org/],
    [{ oid: 'x', apiKey: API_KEY }, /must be a UUID/],
    [{ oid: OID }, /No API key/],
    [{ oid: OID, apiKey: API_KEY, url: 'ftp://x' }, /is not an http or https URL/],
  ])('say what is missing or wrong: %j', (flags, sentence) => {
    expect(() => readApiSettings(flags, { XDG_CONFIG_HOME: home })).toThrow(sentence);
  });

  it.each(['{', '[]', '{"oid": 5}', '{"uid": 5}'])('say where a profile is wrong: %s', (text) => {
    writeProfile(text);
    expect(() => readApiSettings({}, { XDG_CONFIG_HOME: home })).toThrow(/config\.json/);
  });
});
