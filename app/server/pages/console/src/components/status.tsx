/** Shapes of states, for those who do not tell colours apart. */
const SHAPES: Record<string, string> = {
  PENDING: '○',
  RUNNING: '◐',
  COMPLETED: '✓',
  FAILED: '✕',
  CANCELED: '⊘',
  SKIPPED: '–',
  UPLOADING: '↑',
  PROCESSING: '◐',
  READY: '✓',
};

/** A state as a word with a shape. */
export function Status({ value }: { value: string }) {
  return (
    <span class={`status ${value.toLowerCase()}`}>
      <span aria-hidden="true">{SHAPES[value] ?? '•'}</span> {value.toLowerCase()}
    </span>
  );
}

/** A part of a whole as a bar. */
export function Bar({ value, max, label }: { value: number; max: number; label: string }) {
  return <progress value={value} max={Math.max(max, 1)} aria-label={label} />;
}
