import { useRef } from 'preact/hooks';
import { notify } from './notices';

/** A text to copy. Browsers give pages without TLS no clipboard: the text is then selected and copied the old way. */
export function Copied({ label, text }: { label: string; text: string }) {
  const input = useRef<HTMLInputElement>(null);
  const copy = async () => {
    input.current?.select();
    const isCopied = navigator.clipboard
      ? await navigator.clipboard.writeText(text).then(() => true, () => false)
      : document.execCommand('copy');
    notify(isCopied ? 'Copied.' : 'The browser did not copy it: it is selected, copy it yourself.');
  };
  return (
    <div class="copied">
      <input ref={input} aria-label={label} value={text} readOnly spellcheck={false} onFocus={event => event.currentTarget.select()} />
      <button type="button" onClick={() => void copy()}>
        Copy
      </button>
    </div>
  );
}
