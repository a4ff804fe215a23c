/**
 * Paths into an event. Segments are separated by `/`. `?` is exactly one level, `*` any number of levels, including none. A list is
 * entered without a segment, and `?` takes each of its elements. A path has zero or more values; a step into a text, a number or null has
 * none. Work is linear in segments and values: each `*` visits a value once, however many ways lead to it.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import type { Run, View } from '../view.ts';

/** Work of visiting one value. */
const VISIT = 4;

export type Path = readonly string[];

/** Null if the text has no segments or too many. */
export function parsePath(text: string, separator = '/'): Path | null {
  const segments = text.split(separator).filter((segment) => segment !== '');
  return segments.length === 0 || segments.length > RULE_BOUNDS.segments ? null : segments;
}

/** The path ends before its last segment. */
const NOTHING = Symbol('nothing');
/** The path leads through a list or a wildcard, so it may have several ends. */
const SEVERAL = Symbol('several');

/** Most paths lead only through objects and have one end. This avoids lists of nodes for them. */
function singleNode(view: View, path: Path): unknown {
  let node: unknown = view;
  for (let at = 0; at < path.length; at += 1) {
    const segment = path[at] as string;
    if (segment === '*' || segment === '?' || Array.isArray(node)) return SEVERAL;
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, segment)) return NOTHING;
    node = (node as Record<string, unknown>)[segment];
  }
  return node;
}

/** The values at the end of the path. A list is one value. */
export function nodesAt(view: View, path: Path, run: Run): unknown[] {
  const node = singleNode(view, path);
  if (node === NOTHING) return [];
  run.spend(VISIT * (path.length + 1));
  return node === SEVERAL ? nodesFrom([view], path, run) : [node];
}

function nodesFrom(start: unknown[], path: Path, run: Run): unknown[] {
  let found = start;
  for (const segment of path) {
    if (found.length === 0) return found;
    found = segment === '*' ? everyLevel(found, run) : oneLevel(found, segment, run);
  }
  return found;
}

/** The values at the path. A list gives its elements. */
export function valuesAt(view: View, path: Path, run: Run): unknown[] {
  const nodes = nodesAt(view, path, run);
  return nodes.some(Array.isArray) ? flattened(nodes, run, false) : nodes;
}

/** Whether `matches` returns true for one of the values at the path. */
export function someValue<W>(
  view: View,
  path: Path,
  run: Run,
  wanted: W,
  matches: (value: unknown, wanted: W, run: Run) => boolean,
): boolean {
  const node = singleNode(view, path);
  if (node === NOTHING) return false;
  if (node === SEVERAL || Array.isArray(node))
    return valuesAt(view, path, run).some((value) => matches(value, wanted, run));
  run.spend(VISIT * (path.length + 1));
  return matches(node, wanted, run);
}

/** Values, and the lists that contain them. */
export function valuesAndListsAt(view: View, path: Path, run: Run): unknown[] {
  return flattened(nodesAt(view, path, run), run, true);
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
  const visited = new Set<object>();
  const waiting = [...nodes].reverse();
  while (waiting.length > 0) {
    const node = waiting.pop();
    run.spend(VISIT);
    if (typeof node === 'object' && node !== null) {
      if (visited.has(node)) continue;
      visited.add(node);
      const children = Array.isArray(node) ? node : Object.values(node);
      for (let i = children.length - 1; i >= 0; i -= 1) waiting.push(children[i]);
    }
    found.push(node);
  }
  return found;
}

function flattened(nodes: readonly unknown[], run: Run, keepLists: boolean): unknown[] {
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
