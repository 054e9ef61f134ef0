import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  label: ComponentChildren;
  cell: (row: Row) => ComponentChildren;
  /** Right-aligned digits. */
  isNumber?: boolean;
  /** A class of its cells, such as `wide`, which a narrow window leaves out. */
  kind?: string;
}

/** A table that scrolls by itself in a narrow window. */
export function Table<Row>({
  label,
  columns,
  rows,
  id,
  isBusy = false,
  empty = 'Nothing here yet.',
  selected,
}: {
  /** Its name for screen readers. */
  label: string;
  columns: ReadonlyArray<Column<Row>>;
  rows: readonly Row[];
  id: (row: Row) => string;
  isBusy?: boolean;
  empty?: ComponentChildren;
  selected?: (row: Row) => boolean;
}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table aria-busy={isBusy}>
        <thead>
          <tr>
            {columns.map(({ label: head, isNumber, kind }, i) => (
              <th key={i} scope="col" class={classes(isNumber, kind)}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={id(row)} class={selected?.(row) ? 'selected' : undefined}>
              {columns.map(({ cell, isNumber, kind }, i) => (
                <td key={i} class={classes(isNumber, kind)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {rows.length === 0 && (
            <tr>
              <td class="empty" colSpan={columns.length}>
                {isBusy ? 'Loading…' : empty}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

function classes(isNumber: boolean | undefined, kind: string | undefined): string | undefined {
  return [isNumber && 'number', kind].filter(Boolean).join(' ') || undefined;
}
