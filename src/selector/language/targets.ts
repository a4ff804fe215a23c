/** Selectors of one sensor or one tag: writes them, and recognises the former. */
import type { SelectorAst } from '../ast.ts';
import { quote } from './print.ts';

/** `sid == "X"`, for any characters in X. */
export function sidSelector(sid: string): string {
  return `sid == ${quote(sid)}`;
}

/** `"T" in tags`, for any characters in T. */
export function tagSelector(tag: string): string {
  return `${quote(tag)} in tags`;
}

/** The sid, if the selector is exactly `sid == "X"`. */
export function sidOf(ast: SelectorAst): string | undefined {
  if (ast.type !== 'comparison' || ast.operator !== '==' || ast.negated) return undefined;
  return ast.path.length === 1 && ast.path[0] === 'sid' ? ast.value : undefined;
}
