import type { ConsoleCompareQuery } from '../../generated/operations';

export type Run = NonNullable<ConsoleCompareQuery['pipeline']>;

/** The number and colour of a run. */
export function Key({ index }: { index: number }) {
  return (
    <span class="key-of-run">
      <i class="key" style={{ color: `var(--series-${index + 1})` }} aria-hidden="true" /> {index + 1}
    </span>
  );
}
