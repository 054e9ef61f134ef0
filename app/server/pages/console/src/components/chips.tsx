import { useRef, useState } from 'preact/hooks';

/** An input of several texts. Enter adds what is typed, as does leaving the field; each text has a button that removes it. */
export function Chips({
  label,
  values,
  maxLength,
  placeholder,
  onChange,
}: {
  label: string;
  values: readonly string[];
  maxLength: number;
  placeholder: string;
  onChange: (values: string[]) => void;
}) {
  const [typed, type] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const add = () => {
    const text = typed.trim();
    type('');
    if (text && !values.includes(text)) onChange([...values, text]);
  };
  const remove = (value: string) => {
    onChange(values.filter(each => each !== value));
    input.current?.focus();
  };
  return (
    <div class="field">
      <label class="field">
        {label}
        <input
          ref={input}
          value={typed}
          maxLength={maxLength}
          placeholder={placeholder}
          autocomplete="off"
          onInput={event => type(event.currentTarget.value)}
          onBlur={add}
          onKeyDown={event => {
            if (event.key !== 'Enter' || typed.trim() === '' || event.isComposing) return;
            event.preventDefault();
            add();
          }}
        />
      </label>
      {values.length > 0 && (
        <ul class="chips" aria-label={label}>
          {values.map(value => (
            <li key={value} class="chip">
              {value}
              <button type="button" class="quiet" aria-label={`Remove ${value}`} onClick={() => remove(value)}>
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
