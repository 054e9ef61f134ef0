import { Store, useStore } from './api/store';

export interface Route {
  /** The path without `#`, such as `/pipeline/1`. */
  path: string;
  query: URLSearchParams;
}

/** What a screen gets: the parameters of its pattern. A screen is drawn anew for another path. */
export interface ScreenProps {
  params: Record<string, string>;
  query: URLSearchParams;
}

const route = new Store(read());
let shown = location.hash;
let mayLeave = () => true;
addEventListener('hashchange', () => {
  if (location.hash === shown) return;
  if (!mayLeave()) return history.pushState(null, '', shown || '#/');
  shown = location.hash;
  route.set(read());
});

/** Ask before another place is shown: if `ask` returns false, the place stays. Returns a function that ends it. */
export function guard(ask: () => boolean): () => void {
  mayLeave = ask;
  return () => {
    mayLeave = () => true;
  };
}

function read(): Route {
  const [path = '', query = ''] = location.hash.slice(1).split('?', 2);
  return { path: path || '/', query: new URLSearchParams(query) };
}

/** The place in the console, from the hash of the address. */
export const useRoute = (): Route => useStore(route);

/** Go to a place, such as `/pipeline/1`. A replaced one leaves no entry in the history of the tab. */
export function go(path: string, { replace = false } = {}): void {
  if (replace) {
    history.replaceState(null, '', `#${path}`);
    shown = location.hash;
    route.set(read());
  } else location.hash = path;
}

/** The parameters of a path that has the form of a pattern, such as `/pipeline/:id`; null for other paths. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const names = pattern.split('/');
  const parts = path.split('/');
  if (names.length !== parts.length) return null;
  const found: Record<string, string> = {};
  for (const [i, name] of names.entries()) {
    const part = parts[i] ?? '';
    if (name.startsWith(':')) found[name.slice(1)] = decoded(part);
    else if (name !== part) return null;
  }
  return found;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
