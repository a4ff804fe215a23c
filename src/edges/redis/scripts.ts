/**
 * The Lua scripts of scripts/, as Redis gets them: the constants of the layout, the prelude, the script. A script's name is its
 * file name; the folders group the scripts by the role that runs them.
 */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { luaConstants } from './layout.ts';

const FOLDER = fileURLToPath(new URL('./scripts/', import.meta.url));

export type Scripts = ReadonlyMap<string, { sha: string; text: string }>;

export function loadScripts(): Scripts {
  const constants = [...luaConstants].map(([name, value]) => `local ${name} = '${value}'\n`).join('');
  const prelude = readFileSync(`${FOLDER}prelude.lua`, 'utf8');
  return new Map(
    globSync('*/*.lua', { cwd: FOLDER }).map((path) => {
      const text = `${constants}${prelude}\n${readFileSync(`${FOLDER}${path}`, 'utf8')}`;
      return [basename(path, '.lua'), { text, sha: createHash('sha1').update(text).digest('hex') }];
    }),
  );
}
