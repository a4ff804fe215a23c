/** Codes that a selector may use instead of the names in `plat`, `ext_plat` and `arch`. */
import { architectureName, platformName } from '../../model/platforms.ts';

const CODE = /^(?:0|-?[1-9][0-9]{0,9})$/;

/** The name for a code of this field. Any other text, and the text of any other field, is returned unchanged. */
export function codeToName(field: string, text: string): string {
  if (field !== 'plat' && field !== 'ext_plat' && field !== 'arch') return text;
  if (!CODE.test(text)) return text;
  const code = Number(text);
  if (field === 'arch') return architectureName(code);
  return code >= -(2 ** 31) && code < 2 ** 32 ? platformName(code) : text;
}
