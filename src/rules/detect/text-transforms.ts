/** What is done with a text before it is compared: `file name` keeps what follows the last slash, `sub domain` some of its
 *  dot-separated parts. Values that are no texts stay as they are. */
import type { Spec } from './spec.ts';

/** The texts to compare, of which one has to fit; none where the parts asked for are not there. */
export type Transform = (text: string) => readonly string[];

const RANGE = /^\s*(-?\d{1,4})?\s*(:)?\s*(-?\d{1,4})?\s*$/;
const RANGE_MAX = 32;

/** Undefined: nothing is changed. */
export function compileTransform(spec: Spec): Transform | undefined {
  const subDomain = (spec.get('sub domain') ?? undefined) === undefined ? undefined : readParts(spec);
  if (!spec.flag('file name')) return subDomain;
  return (text) => {
    const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
    return subDomain === undefined ? [name] : subDomain(name);
  };
}

function readParts(spec: Spec): Transform {
  const value = spec.get('sub domain');
  const range = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const match = range.length <= RANGE_MAX ? RANGE.exec(range) : null;
  const [, from, colon, to] = match ?? [];
  if (match === null || (from === undefined && colon === undefined) || (colon === undefined && to !== undefined))
    throw spec.fault('sub domain', '`sub domain` has to be a range such as "0:2", "-2:", "1:", ":" or one number.');
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
