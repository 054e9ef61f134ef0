import type { ConsolePipelineQuery } from '../../generated/operations';

export type Run = NonNullable<ConsolePipelineQuery['pipeline']>;
export type Element = Run['elements'][number];

export const TYPES: Record<Element['elementType'], string> = {
  DIRECT_ENTRY: 'Entry',
  DATA_FIT: 'Fit',
  CALCULATION: 'Calculation',
  VALIDATION: 'Validation',
};

/** Whether an element has a history or series to plot, now or once it has ended. */
export function hasPlots({ elementType, status }: Element): boolean {
  if (elementType === 'DATA_FIT') return status === 'RUNNING' || status === 'COMPLETED';
  return elementType === 'VALIDATION' && status === 'COMPLETED';
}
