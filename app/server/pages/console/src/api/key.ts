import { Store } from './store';

const NAME = 'voltgraph:key';

/** The API key: of this tab, or of this device if its user asked for that. */
export const key = new Store<string | null>(read());

/** Why the key form is open; null while it is closed. */
export const keyWanted = new Store<string | null>(null);

function read(): string | null {
  try {
    return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME);
  } catch {
    return null; // a browser that keeps nothing asks again
  }
}

/** Use a key from now on, and keep it. */
export function useKey(value: string, onDevice: boolean): void {
  forget();
  try {
    (onDevice ? localStorage : sessionStorage).setItem(NAME, value);
  } catch {
    // Used until the page is left.
  }
  keyWanted.set(null);
  key.set(value);
}

/** Remove the key from this browser. */
export function forgetKey(): void {
  forget();
  key.set(null);
}

function forget(): void {
  try {
    sessionStorage.removeItem(NAME);
    localStorage.removeItem(NAME);
  } catch {
    // Nothing was kept.
  }
}
