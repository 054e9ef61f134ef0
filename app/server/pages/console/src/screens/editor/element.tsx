import { useEffect, useRef, useState } from 'preact/hooks';
import { bytes } from '../../components/numbers';
import type { Code } from './editor-code';
import { typeInText, TYPES, withType, type DraftElement, type ElementType, type Fault } from './draft';
import { parse, pretty } from './json';
import { Picker } from './picker';
import { configText, ELEMENTS, NO_CHOICES } from './templates';

/** Length of a configuration from which it is shown only when asked for. */
const LARGE = 400_000;
/** Number of elements from which they are shown closed. */
const MANY = 8;

/** One element: its name, its type, and its configuration in a JSON editor with marks of its problems. */
export function ElementCard({
  element,
  index,
  count,
  faults,
  shown,
  isLocked,
  projectId,
  measurement,
  onChange,
  onMove,
  onCopy,
  onRemove,
  onDrag,
}: {
  element: DraftElement;
  index: number;
  count: number;
  faults: readonly Fault[];
  shown: { fault: Fault; time: number } | null;
  isLocked: boolean;
  projectId: string;
  measurement: string | null;
  onChange: (change: (element: DraftElement) => DraftElement) => void;
  onMove: (to: number) => void;
  onCopy: () => void;
  onRemove: () => void;
  onDrag: (isDragged: boolean) => void;
}) {
  const { name, type, text } = element;
  const [isOpen, open] = useState(text.length < LARGE && count <= MANY);
  const [isPicking, pick] = useState(false);
  const code = useRef<Code | null>(null);
  const nameInput = useRef<HTMLInputElement>(null);
  const said = name || `element ${index + 1}`;
  useEffect(() => {
    if (shown === null) return;
    if (shown.fault.place === undefined) nameInput.current?.focus();
    else if (isOpen) code.current?.show(shown.fault.place);
    else open(true);
  }, [shown]);
  /** The code editor tells of its own changes; a text from elsewhere goes through it, so that it can be undone. */
  const setText = (value: string) => {
    if (code.current === null) onChange(old => ({ ...old, text: value }));
    else code.current.set(value);
  };
  const retype = (next: ElementType) => {
    const changed = withType(element, next);
    onChange(old => ({ ...old, type: next }));
    if (changed.text !== text) setText(changed.text);
  };
  const use = (label: string) => {
    const template = ELEMENTS.find(each => each.type === type && each.label === label);
    if (template !== undefined) setText(configText(template, { ...NO_CHOICES, measurement }));
  };
  const nameFault = faults.find(({ place }) => place === undefined);
  return (
    <article class="card element" aria-label={said}>
      <div class="bar">
        {!isLocked && (
          <span
            class="handle"
            draggable
            aria-hidden="true"
            title="Drag to move"
            onDragStart={event => {
              event.dataTransfer?.setData('application/x-voltgraph-element', said); // a text would be dropped into an editor
              onDrag(true);
            }}
            onDragEnd={() => onDrag(false)}
          >
            ⠿
          </span>
        )}
        <span class="dim place">{index + 1}</span>
        <input
          ref={nameInput}
          aria-label={`Name of element ${index + 1}`}
          aria-invalid={nameFault !== undefined}
          value={name}
          maxLength={255}
          disabled={isLocked}
          onInput={event => {
            const { value } = event.currentTarget;
            onChange(old => ({ ...old, name: value }));
          }}
        />
        <select
          aria-label={`Type of ${said}`}
          value={typeInText(text)?.type ?? type}
          disabled={isLocked}
          onChange={event => retype(event.currentTarget.value as ElementType)}
        >
          {Object.entries(TYPES).map(([value, { label }]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <span class="tools">
          {!isLocked && (
            <>
              <button type="button" class="quiet" disabled={index === 0} aria-label={`Move ${said} up`} onClick={() => onMove(index - 1)}>
                ↑
              </button>
              <button
                type="button"
                class="quiet"
                disabled={index === count - 1}
                aria-label={`Move ${said} down`}
                onClick={() => onMove(index + 1)}
              >
                ↓
              </button>
              <button type="button" class="quiet" aria-label={`Copy ${said}`} onClick={onCopy}>
                Copy
              </button>
              <button type="button" class="quiet" aria-label={`Remove ${said}`} onClick={onRemove}>
                Remove
              </button>
            </>
          )}
          <button
            type="button"
            class="quiet"
            aria-expanded={isOpen}
            aria-label={`${isOpen ? 'Close' : `Open ${bytes(text.length)}`} configuration of ${said}`}
            onClick={() => open(!isOpen)}
          >
            {isOpen ? 'Close' : `Open ${bytes(text.length)}`}
          </button>
        </span>
      </div>
      {nameFault && <p class="fault">{nameFault.message}</p>}
      {isOpen && (
        <>
          {!isLocked && (
            <div class="row">
              <select
                aria-label={`Template for ${said}`}
                value=""
                onChange={event => (use(event.currentTarget.value), (event.currentTarget.value = ''))}
              >
                <option value="">Template…</option>
                {ELEMENTS.filter(each => each.type === type).map(({ label }) => (
                  <option key={label}>{label}</option>
                ))}
              </select>
              <button type="button" onClick={() => pick(true)}>
                Insert data…
              </button>
              <button
                type="button"
                onClick={() => {
                  const { root, faults: wrong } = parse(text);
                  if (root !== null && wrong.length === 0) setText(pretty(text, root));
                }}
              >
                Format
              </button>
            </div>
          )}
          <CodeArea
            text={text}
            label={`Configuration of ${said}`}
            faults={faults}
            isLocked={isLocked}
            shown={shown?.fault ?? null}
            code={code}
            onChange={value => onChange(old => ({ ...old, text: value }))}
          />
        </>
      )}
      {isPicking && (
        <Picker
          projectId={projectId}
          onClose={() => pick(false)}
          onPick={id => {
            pick(false);
            code.current?.refer(`db:${id}`);
          }}
        />
      )}
    </article>
  );
}

/** The JSON editor, whose library is loaded when the first one is shown. */
function CodeArea({
  text,
  label,
  faults,
  isLocked,
  shown,
  code,
  onChange,
}: {
  text: string;
  label: string;
  faults: readonly Fault[];
  isLocked: boolean;
  shown: Fault | null;
  code: { current: Code | null };
  onChange: (text: string) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const newest = useRef({ text, faults, onChange, shown });
  newest.current = { text, faults, onChange, shown };
  const [isReady, setReady] = useState(false);
  const [hasFailed, fail] = useState(false);
  useEffect(() => {
    let isOver = false;
    import('./editor-code').then(
      ({ edit }) => {
        if (isOver || host.current === null) return;
        code.current = edit(host.current, newest.current.text, label, isLocked, value => newest.current.onChange(value));
        code.current.mark(marks(newest.current.faults));
        if (newest.current.shown?.place) code.current.show(newest.current.shown.place);
        setReady(true);
      },
      () => fail(true),
    );
    return () => {
      isOver = true;
      code.current?.destroy();
      code.current = null;
    };
  }, []);
  useEffect(() => code.current?.mark(marks(faults)), [faults, isReady]);
  if (hasFailed) {
    return (
      <label class="field">
        The editor could not be loaded; this is the plain text.
        <textarea rows={12} class="plain" value={text} disabled={isLocked} onInput={event => onChange(event.currentTarget.value)} />
      </label>
    );
  }
  return <div ref={host} class="code" aria-busy={!isReady} />;
}

const marks = (faults: readonly Fault[]) => faults.flatMap(({ place, message }) => (place ? [{ ...place, message }] : []));
