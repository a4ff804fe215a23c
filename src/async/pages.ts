/** The pages of a list that is read with a cursor. */

/** Reads from `cursor` (null: the first page) to the last page, and each page only when the caller asks for it: a caller that
 *  stops reads no further. */
export async function* pagesOf<Page extends { next: string | null }>(
  read: (cursor: string | null) => Promise<Page>,
  cursor: string | null = null,
): AsyncGenerator<Page, void> {
  let next = cursor;
  do {
    const page = await read(next);
    yield page;
    next = page.next;
  } while (next !== null);
}

/** All pages, in order. The next page is requested before the caller gets the current one. */
export async function* pagesAheadOf<Page extends { next: string | null }>(
  read: (cursor: string | null) => Promise<Page>,
): AsyncGenerator<Page, void> {
  let reading: Promise<Page> | null = read(null);
  while (reading !== null) {
    const page: Page = await reading;
    reading = page.next === null ? null : read(page.next);
    // If it fails, the caller gets the error with the next page, or has stopped by then.
    reading?.catch(() => undefined);
    yield page;
  }
}
