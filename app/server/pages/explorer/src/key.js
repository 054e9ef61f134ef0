const PLACE = 'voltgraph:key';
/** Characters that a header can hold. */
const KEY = /^[!-~]+$/;

let refused = false;
const listeners = new Set();

/** The API key of this visit; empty if none was given. It is kept until the browser's tab is closed. */
export const apiKey = () => sessionStorage.getItem(PLACE) ?? '';

/** Keeps a key, or forgets it if it is empty. */
export function keepKey(key) {
  if (key) sessionStorage.setItem(PLACE, key);
  else sessionStorage.removeItem(PLACE);
  noteRefusal(false);
}

export const isKey = text => KEY.test(text);

/** Whether the server refused the last request for its key, or for the lack of one. */
export const isRefused = () => refused;

export function noteRefusal(now) {
  if (now === refused) return;
  refused = now;
  for (const listener of listeners) listener();
}

/** Calls a function after each change of `isRefused`. Returns a function that ends it. */
export function onRefusal(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
