import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

/** A plot with its title and a button that shows its numbers as a table instead. */
export function Figure({ title, plot, table, children }: { title: string; plot: () => ComponentChildren; table: () => ComponentChildren; children?: ComponentChildren }) {
  const [isTable, setTable] = useState(false);
  return (
    <figure class="plot">
      <figcaption>
        <h3>{title}</h3>
        <button type="button" class="quiet" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? 'Show as plot' : 'Show as table'}
        </button>
      </figcaption>
      {isTable ? table() : plot()}
      {children}
    </figure>
  );
}
