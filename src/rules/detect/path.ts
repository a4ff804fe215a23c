/**
 * Paths into an event. Segments are joined by `/`; `?` is exactly one level, `*` any number of levels, none included. A list
 * is entered by itself, and `?` takes each of its elements. A path gives zero or more values; a step into a text, a number
 * or null gives nothing. Work is linear in segments and values: each `*` meets a value once, however many ways lead there.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import type { Run, View } from '../view.ts';

/** Work of looking at one value. */
const VISIT = 4;

export type Path = readonly string[];

/** Null where it has no segment or too many. */
export function parsePath(text: string, separator = '/'): Path | null {
  const segments = text.split(separator).filter((segment) => segment !== '');
  return segments.length === 0 || segments.length > RULE_BOUNDS.segments ? null : segments;
}

/** A path ends before its last segment · leads through a list or a wildcard, so that there may be several ends. */
const NOWHERE = Symbol('nowhere');
const WINDING = Symbol('winding');

/** Most paths lead through objects alone, to one end: no lists of nodes are made for those. */
function straightNode(view: View, path: Path): unknown {
  let node: unknown = view;
  for (let at = 0; at < path.length; at += 1) {
    const segment = path[at] as string;
    if (segment === '*' || segment === '?' || Array.isArray(node)) return WINDING;
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, segment)) return NOWHERE;
    node = (node as Record<string, unknown>)[segment];
  }
  return node;
}

/** What stands at the end of the path, lists unopened. */
export function nodesAt(view: View, path: Path, run: Run): unknown[] {
  const node = straightNode(view, path);
  if (node === NOWHERE) return [];
  run.spend(VISIT * (path.length + 1));
  return node === WINDING ? nodesFrom([view], path, run) : [node];
}

function nodesFrom(start: unknown[], path: Path, run: Run): unknown[] {
  let found = start;
  for (const segment of path) {
    if (found.length === 0) return found;
    found = segment === '*' ? everyLevel(found, run) : oneLevel(found, segment, run);
  }
  return found;
}

/** The values at the path: a list gives its elements. */
export function valuesAt(view: View, path: Path, run: Run): unknown[] {
  const nodes = nodesAt(view, path, run);
  return nodes.some(Array.isArray) ? opened(nodes, run, false) : nodes;
}

/** Whether one of the values at the path fits. */
export function someValue<W>(
  view: View,
  path: Path,
  run: Run,
  wanted: W,
  fits: (value: unknown, wanted: W, run: Run) => boolean,
): boolean {
  const node = straightNode(view, path);
  if (node === NOWHERE) return false;
  if (node === WINDING || Array.isArray(node))
    return valuesAt(view, path, run).some((value) => fits(value, wanted, run));
  run.spend(VISIT * (path.length + 1));
  return fits(node, wanted, run);
}

/** Values, and the lists that held them too. */
export function valuesAndListsAt(view: View, path: Path, run: Run): unknown[] {
  return opened(nodesAt(view, path, run), run, true);
}

function oneLevel(nodes: readonly unknown[], segment: string, run: Run): unknown[] {
  const found: unknown[] = [];
  const entered = [...nodes].reverse();
  while (entered.length > 0) {
    const node = entered.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (segment === '?') {
      const children = Array.isArray(node) ? node : Object.values(node);
      run.spend(VISIT * (children.length + 1));
      for (const child of children) found.push(child);
    } else if (Array.isArray(node)) {
      run.spend(VISIT * (node.length + 1));
      for (let i = node.length - 1; i >= 0; i -= 1) entered.push(node[i]);
    } else {
      run.spend(1);
      if (Object.hasOwn(node, segment)) found.push((node as Record<string, unknown>)[segment]);
    }
  }
  return found;
}

function everyLevel(nodes: readonly unknown[], run: Run): unknown[] {
  const found: unknown[] = [];
  const met = new Set<object>();
  const waiting = [...nodes].reverse();
  while (waiting.length > 0) {
    const node = waiting.pop();
    run.spend(VISIT);
    if (typeof node === 'object' && node !== null) {
      if (met.has(node)) continue;
      met.add(node);
      const children = Array.isArray(node) ? node : Object.values(node);
      for (let i = children.length - 1; i >= 0; i -= 1) waiting.push(children[i]);
    }
    found.push(node);
  }
  return found;
}

function opened(nodes: readonly unknown[], run: Run, keepLists: boolean): unknown[] {
  const found: unknown[] = [];
  const waiting = [...nodes].reverse();
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (!Array.isArray(node)) {
      found.push(node);
      continue;
    }
    run.spend(VISIT * (node.length + 1));
    if (keepLists) found.push(node);
    for (let i = node.length - 1; i >= 0; i -= 1) waiting.push(node[i]);
  }
  return found;
}
