/** Where we are: the part of the address after `#`, as a path and its query. Links are plain `<a href="#/…">`. */
import { signal } from '@preact/signals';

export type Place = { path: string[]; query: URLSearchParams };

function read(): Place {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** An address that somebody has typed may have a % of its own. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const place = signal<Place>(read());

addEventListener('hashchange', () => {
  place.value = read();
});

export const go = (path: string): void => {
  location.hash = path;
};

/** Notes in the address how this page is narrowed down, so that it is the same when one comes back; '' takes it out. */
export function refine(part: Record<string, string>): void {
  const query = new URLSearchParams(place.value.query);
  for (const [name, text] of Object.entries(part)) text === '' ? query.delete(name) : query.set(name, text);
  const path = place.value.path.map(encodeURIComponent).join('/');
  place.value = { ...place.value, query };
  try {
    history.replaceState(history.state, '', query.size === 0 ? `#/${path}` : `#/${path}?${query}`);
  } catch {
    // Some browsers bound how often: then the address says it with the next change.
  }
}
