/** Splits a template into its text and the actions between `{{` and `}}`. Converts the older field syntax `<<a/b>>` to actions. */
import { RuleError } from '../errors.ts';

export type Piece = { text: string } | { action: string };

/** Text and actions in order, with trim markers applied. `at`: the path of the template in the rule, for errors. */
export function splitTemplate(text: string, at: string): Piece[] {
  const found: Piece[] = [];
  const next = /\{\{(- )?|<<([^<>{}]+)>>/g;
  let from = 0;
  let trim = false;
  const addText = (upTo: number, trimEnd: boolean) => {
    let part = text.slice(from, upTo);
    if (trim) part = part.trimStart();
    if (trimEnd) part = part.trimEnd();
    if (part !== '') found.push({ text: part });
  };
  for (let match = next.exec(text); match !== null; match = next.exec(text)) {
    const path = match[2]?.trim();
    if (path === '') continue;
    addText(match.index, match[1] !== undefined);
    trim = false;
    if (path !== undefined) {
      found.push({ action: legacyAction(path, at) });
      from = next.lastIndex;
      continue;
    }
    const end = endOfAction(text, next.lastIndex);
    if (end === -1) throw new RuleError(at, 'An action of the template has no closing }}.');
    let action = text.slice(next.lastIndex, end);
    if (action.endsWith(' -')) {
      trim = true;
      action = action.slice(0, -2);
    }
    found.push({ action });
    from = end + 2;
    next.lastIndex = from;
  }
  addText(text.length, false);
  return found;
}

/** For each start of a text or comment, the rest including its end. */
const REST: Readonly<Record<string, RegExp>> = {
  '"': /(?:[^"\\\n]|\\.)*"/y,
  '`': /[^`]*`/y,
  '/*': /[\s\S]*?\*\//y,
};

/** The offset of the next `}}` outside of texts. -1 if there is none, or if a text before it has no end. */
function endOfAction(text: string, from: number): number {
  const part = /"|`|\/\*|\}\}/g;
  part.lastIndex = from;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    const rest = REST[match[0]];
    if (rest === undefined) return match.index;
    rest.lastIndex = part.lastIndex;
    if (!rest.test(text)) return -1;
    part.lastIndex = rest.lastIndex;
  }
  return -1;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `a/b/C` -> ` .a.b.C `; keys that are not identifiers need `index`. Null: the path has a wildcard or no key. */
export function fieldOfPath(path: string): string | null {
  const keys = path.split('/').filter((key) => key !== '');
  if (keys.length === 0 || keys.includes('*') || keys.includes('?')) return null;
  const odd = keys.findIndex((key) => !IDENTIFIER.test(key));
  if (odd === -1) return `.${keys.join('.')}`;
  const rest = keys.slice(odd).map((key) => JSON.stringify(key));
  return `index .${keys.slice(0, odd).join('.')} ${rest.join(' ')}`;
}

function legacyAction(path: string, at: string): string {
  const field = fieldOfPath(path.includes('/') ? path : path.replaceAll('.', '/'));
  if (field === null) throw new RuleError(at, `<<${path}>> has a wildcard, which templates do not support.`);
  return field;
}
