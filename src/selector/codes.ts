/** Codes that a selector may write for the names in `plat`, `ext_plat` and `arch`. */
import { architectureName, platformName } from '../model/platforms.ts';

const CODE = /^(?:0|-?[1-9][0-9]{0,9})$/;

/** The name that a code written for this field stands for; any other text, and any other field, stays as it is. */
export function codeToName(field: string, text: string): string {
  if (field !== 'plat' && field !== 'ext_plat' && field !== 'arch') return text;
  if (!CODE.test(text)) return text;
  const code = Number(text);
  if (field === 'arch') return architectureName(code);
  return code >= -(2 ** 31) && code < 2 ** 32 ? platformName(code) : text;
}
