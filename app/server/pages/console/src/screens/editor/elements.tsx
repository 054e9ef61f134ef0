import { useState } from 'preact/hooks';
import { notify } from '../../components/notices';
import { freeName, moved, newKey, TYPES, type DraftElement, type ElementType, type Fault } from './draft';
import { ElementCard } from './element';
import { elementOf, ELEMENTS, NO_CHOICES } from './templates';

const MAX_ELEMENTS = 250;

/** The elements of a pipeline in the order in which they run: moved by dragging, or by buttons. */
export function Elements({
  elements,
  faults,
  shown,
  isLocked,
  projectId,
  measurement,
  onChange,
}: {
  elements: readonly DraftElement[];
  faults: readonly Fault[];
  /** The problem that was asked for last. */
  shown: { fault: Fault; time: number } | null;
  /** Whether nothing may change. */
  isLocked: boolean;
  projectId: string;
  measurement: string | null;
  onChange: (change: (elements: DraftElement[]) => DraftElement[]) => void;
}) {
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const replace = (key: number, change: (element: DraftElement) => DraftElement) =>
    onChange(old => old.map(element => (element.key === key ? change(element) : element)));
  const move = (from: number, to: number) => {
    if (to < 0 || to >= elements.length || from === to) return;
    onChange(old => moved(old, from, to));
    notify(`${elements[from]!.name} is now element ${to + 1} of ${elements.length}.`);
  };
  const drop = (to: number) => {
    const from = elements.findIndex(({ key }) => key === dragged);
    setDragged(null);
    setOver(null);
    if (from >= 0) move(from, to);
  };
  const add = (type: ElementType) => {
    const template = ELEMENTS.find(each => each.type === type)!;
    onChange(old => [...old, named(elementOf(template, { ...NO_CHOICES, measurement }), old)]);
  };
  return (
    <section aria-label="Elements" class="stack">
      <ol class="elements">
        {elements.map((element, index) => (
          <li
            key={element.key}
            class={over === index && dragged !== null && dragged !== element.key ? 'over' : undefined}
            onDragOver={event => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(index);
            }}
            onDrop={event => (event.preventDefault(), drop(index))}
          >
            <ElementCard
              element={element}
              index={index}
              count={elements.length}
              faults={faults.filter(fault => fault.element === element.key)}
              shown={shown?.fault.element === element.key ? shown : null}
              isLocked={isLocked}
              projectId={projectId}
              measurement={measurement}
              onChange={change => replace(element.key, change)}
              onMove={to => move(index, to)}
              onCopy={() =>
                onChange(old => {
                  const copy = named({ ...element, key: newKey() }, old);
                  return [...old.slice(0, index + 1), copy, ...old.slice(index + 1)];
                })
              }
              onRemove={() => onChange(old => old.filter(({ key }) => key !== element.key))}
              onDrag={isDragged => (setDragged(isDragged ? element.key : null), setOver(null))}
            />
          </li>
        ))}
      </ol>
      {!isLocked && (
        <div class="row" role="group" aria-label="Add an element">
          <span class="dim">Add</span>
          {Object.entries(TYPES).map(([type, { label }]) => (
            <button key={type} type="button" disabled={elements.length >= MAX_ELEMENTS} onClick={() => add(type as ElementType)}>
              + {label}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

const named = (element: DraftElement, elements: readonly DraftElement[]) => ({ ...element, name: freeName(element.name, elements) });
