/** Where we are: the part of the address after `#`, as a path and its query. Links are plain `<a href="#/…">`. */
import { signal } from '@preact/signals';

export type Place = { path: string[]; query: URLSearchParams };

function read(): Place {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

export const place = signal<Place>(read());

addEventListener('hashchange', () => {
  place.value = read();
});

export const go = (path: string): void => {
  location.hash = path;
};
