/**
 * Measures how deep a JSON text is nested, without parsing it. A value that is too deep overflows the stack of code that walks or
 * serializes it. One pass without recursion; brackets inside strings do not count. For invalid JSON the result is arbitrary.
 */

/** Objects and lists inside one another, the outermost included. */
export const NESTING_MAX = 64;

const QUOTE = 34;
const BACKSLASH = 92;
const [LIST, LIST_END, OBJECT, OBJECT_END] = [91, 93, 123, 125] as const;

/** More than `most` deep. */
export function isNestedTooDeep(text: string, most = NESTING_MAX): boolean {
  if (!hasMore(text, most)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OBJECT || code === LIST) {
      depth += 1;
      if (depth > most) return true;
    } else if (code === OBJECT_END || code === LIST_END) depth -= 1;
  }
  return false;
}

/** Whether the text has more than this many opening brackets, in strings or not. Most events have fewer and need no further check. */
function hasMore(text: string, most: number): boolean {
  let left = most;
  for (const bracket of '{[')
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) if (--left < 0) return true;
  return false;
}

/** Where the string that begins at `start` ends; the end of the text where it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
