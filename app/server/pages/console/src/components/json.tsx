import { useMemo, useState } from 'preact/hooks';
import { isExact, textOf } from '../api/exact';
import { download } from './download';
import { count } from './numbers';
import { notify } from './notices';

const MOST_ITEMS = 12;
const MOST_TEXT = 400;
const MOST_CHARACTERS = 100_000;

/** A JSON value for reading: long lists of numbers and long texts are cut, until the whole is asked for. */
export function Json({ value, fileName }: { value: unknown; fileName: string }) {
  const [isWhole, setWhole] = useState(false);
  const whole = useMemo(() => textOf(value, 2), [value]);
  const brief = useMemo(() => printed(value, ''), [value]);
  const shown = isWhole ? whole : brief;
  return (
    <>
      <div class="row">
        {brief.length < whole.length && (
          <button type="button" class="quiet" aria-pressed={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? 'Cut long lists' : 'Show long lists'}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => void navigator.clipboard.writeText(whole).then(() => notify('Copied.'), () => notify('The browser refused to copy.'))}>
          Copy
        </button>
        <button type="button" class="quiet" onClick={() => download(fileName, 'application/json', whole)}>
          Download
        </button>
      </div>
      <pre class="json" tabIndex={0}>
        {shown.slice(0, MOST_CHARACTERS)}
      </pre>
      {shown.length > MOST_CHARACTERS && (
        <p class="dim small">
          The first {count(MOST_CHARACTERS)} of {count(shown.length)} characters. Download it to see all.
        </p>
      )}
    </>
  );
}

function printed(value: unknown, indent: string): string {
  const next = `${indent}  `;
  if (typeof value === 'string' && value.length > MOST_TEXT) {
    return `${JSON.stringify(value.slice(0, MOST_TEXT))} … ${count(value.length - MOST_TEXT)} more characters`;
  }
  if (isScalar(value)) return textOf(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    if (value.every(isScalar)) {
      const rest = value.length - MOST_ITEMS;
      const items = value.slice(0, MOST_ITEMS).map(each => printed(each, ''));
      return `[${items.join(', ')}${rest > 0 ? `, … ${count(rest)} more` : ''}]`;
    }
    const items = value.slice(0, MOST_TEXT).map(each => next + printed(each, next));
    if (value.length > MOST_TEXT) items.push(`${next}… ${count(value.length - MOST_TEXT)} more`);
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value as object).map(([name, each]) => `${next}${JSON.stringify(name)}: ${printed(each, next)}`);
  return fields.length ? `{\n${fields.join(',\n')}\n${indent}}` : '{}';
}

const isScalar = (value: unknown) => typeof value !== 'object' || value === null || isExact(value);
