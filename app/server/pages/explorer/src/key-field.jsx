import { useGraphiQLActions } from '@graphiql/react';
import { useSyncExternalStore } from 'react';
import { askNewest } from './ask-newest.js';
import { apiKey, isKey, isRefused, keepKey, onRefusal } from './key.js';

/** The field of the API key, which every request of the page sends. A new key fetches the schema again. */
export function KeyField() {
  const { introspect } = useGraphiQLActions();
  const refused = useSyncExternalStore(onRefusal, isRefused);

  function take(field) {
    const key = field.value.trim();
    if (key === apiKey()) return;
    field.setCustomValidity(key && !isKey(key) ? 'A key has no spaces and no accented letters.' : '');
    if (!field.reportValidity()) return;
    keepKey(key);
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
