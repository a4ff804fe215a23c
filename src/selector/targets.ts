/** The selectors that stand for one sensor or one tag: how they are written, and how they are recognised. */
import type { SelectorAst } from './ast.ts';
import { quote } from './print.ts';

/** `sid == "X"`, whatever characters X has. */
export function sidSelector(sid: string): string {
  return `sid == ${quote(sid)}`;
}

/** `"T" in tags`, whatever characters T has. */
export function tagSelector(tag: string): string {
  return `${quote(tag)} in tags`;
}

/** The sid of a selector that is `sid == "X"` and nothing else. */
export function sidOf(ast: SelectorAst): string | undefined {
  if (ast.type !== 'comparison' || ast.operator !== '==') return undefined;
  return ast.path.length === 1 && ast.path[0] === 'sid' ? ast.value : undefined;
}
