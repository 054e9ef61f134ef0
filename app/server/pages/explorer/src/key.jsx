import { useGraphiQLActions } from '@graphiql/react';
import { useSyncExternalStore } from 'react';
import { askNewest } from './newest.js';

const PLACE = 'voltgraph:key';
/** What a header can hold. */
const KEY = /^[!-~]+$/;

let isRefused = false;
const listeners = new Set();

/** The API key of this visit; empty if none was given. It is kept until the browser's tab is closed. */
export const apiKey = () => sessionStorage.getItem(PLACE) ?? '';

/** Notes whether the server refused the last request for its key, or for the lack of one. */
export function noteRefusal(refused) {
  if (refused === isRefused) return;
  isRefused = refused;
  for (const listener of listeners) listener();
}

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The field of the API key, which every request of the page sends. A new key fetches the schema again. */
export function KeyField() {
  const { introspect } = useGraphiQLActions();
  const refused = useSyncExternalStore(subscribe, () => isRefused);

  function take(field) {
    const key = field.value.trim();
    if (key === apiKey()) return;
    field.setCustomValidity(key && !KEY.test(key) ? 'A key has no spaces and no accented letters.' : '');
    if (!field.reportValidity()) return;
    if (key) sessionStorage.setItem(PLACE, key);
    else sessionStorage.removeItem(PLACE);
    noteRefusal(false);
    introspect();
    askNewest();
  }

  return (
    <form
      className="voltgraph-key"
      onSubmit={event => {
        event.preventDefault();
        take(event.target.elements.key);
      }}
    >
      {refused && <span role="alert">{apiKey() ? 'Key refused' : 'Key needed'}</span>}
      <input
        name="key"
        type="password"
        aria-label="API key"
        aria-invalid={refused}
        placeholder="API key"
        autoComplete="off"
        spellCheck="false"
        defaultValue={apiKey()}
        onInput={event => event.target.setCustomValidity('')}
        onBlur={event => take(event.target)}
      />
    </form>
  );
}
