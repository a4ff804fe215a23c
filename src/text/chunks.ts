/** The items in their order, `size` at a time, so that the results of one chunk can be released before the next is read. */
export function* chunksOf<T>(items: readonly T[], size: number): Iterable<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
