/** The route: path and query of the part of the URL after `#`. Links are plain `<a href="#/…">`. */
import { signal } from '@preact/signals';

export type Route = { path: string[]; query: URLSearchParams };

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** In a typed URL a % may stand for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = signal<Route>(read());

addEventListener('hashchange', () => {
  route.value = read();
});

export const go = (path: string): void => {
  location.hash = path;
};

/** Puts the filters of the page into the URL, so that the Back button restores them. '' removes a filter. */
export function refine(part: Record<string, string>): void {
  const query = new URLSearchParams(route.value.query);
  for (const [name, text] of Object.entries(part)) text === '' ? query.delete(name) : query.set(name, text);
  const path = route.value.path.map(encodeURIComponent).join('/');
  route.value = { ...route.value, query };
  try {
    history.replaceState(history.state, '', query.size === 0 ? `#/${path}` : `#/${path}?${query}`);
  } catch {
    // Some browsers limit how often this is allowed. The next change updates the URL.
  }
}
