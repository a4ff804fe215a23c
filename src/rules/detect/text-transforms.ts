/** Changes a text before the comparison: `file name` keeps the part after the last slash, `sub domain` some of the parts between dots.
 *  Other values stay unchanged. */
import type { Spec } from './spec.ts';

/** The texts to compare, one of which must match. None if the text does not have the parts. */
export type TextTransform = (text: string) => readonly string[];

const RANGE = /^\s*(-?\d{1,4})?\s*(:)?\s*(-?\d{1,4})?\s*$/;
const RANGE_MAX = 32;

/** Undefined: no change. */
export function compileTextTransform(spec: Spec): TextTransform | undefined {
  const subDomain = (spec.get('sub domain') ?? undefined) === undefined ? undefined : readParts(spec);
  if (!spec.flag('file name')) return subDomain;
  return (text) => {
    const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
    return subDomain === undefined ? [name] : subDomain(name);
  };
}

function readParts(spec: Spec): TextTransform {
  const value = spec.get('sub domain');
  const range = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const match = range.length <= RANGE_MAX ? RANGE.exec(range) : null;
  const [, from, colon, to] = match ?? [];
  if (match === null || (from === undefined && colon === undefined) || (colon === undefined && to !== undefined))
    throw spec.fault('sub domain', '`sub domain` must be a range such as "0:2", "-2:", "1:", ":" or one number.');
  if (colon === undefined) {
    const index = Number(from);
    return (text) =>
      text
        .split('.')
        .slice(index, index === -1 ? undefined : index + 1)
        .slice(0, 1);
  }
  if (from === undefined && to === undefined) return (text) => text.split('.');
  const start = from === undefined ? 0 : Number(from);
  const end = to === undefined ? undefined : Number(to);
  return (text) => {
    const parts = text.split('.').slice(start, end);
    return parts.length === 0 ? [] : [parts.join('.')];
  };
}
