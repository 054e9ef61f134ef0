import { useEffect, useRef } from 'preact/hooks';
import { keyWanted, useKey } from '../api/key';
import { useStore } from '../api/store';

/** A dialog that asks for an API key when the server refuses a request for want of one. The page behind it stays. */
export function KeyForm() {
  const why = useStore(keyWanted);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (why !== null && !dialog.current?.open) dialog.current?.showModal();
    if (why === null) dialog.current?.close();
  }, [why]);
  const enter = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const value = String(fields.get('key')).trim();
    if (value) useKey(value, fields.get('device') !== null);
    form.reset();
  };
  return (
    <dialog ref={dialog} aria-labelledby="key-title" onClose={() => keyWanted.set(null)}>
      <form onSubmit={enter} class="stack">
        <h2 id="key-title">API key</h2>
        <p role="alert">{why}</p>
        <label class="field">
          Key
          <input name="key" type="password" autocomplete="off" spellcheck={false} required autofocus />
        </label>
        <label class="check">
          <input name="device" type="checkbox" />
          Remember on this device
        </label>
        <p class="dim small">
          Otherwise this tab forgets the key when it is closed. <code>voltgraph keys create</code> makes keys.
        </p>
        <div class="actions">
          <button type="submit" class="primary">
            Use this key
          </button>
        </div>
      </form>
    </dialog>
  );
}
