import { useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { count, exact, short } from '../../components/numbers';
import { Failure } from '../../components/problems';
import { Table, type Column } from '../../components/table';
import { ConsoleMeasurementStepsDocument } from '../../generated/operations';

/** Columns of steps that are shown first, if they are there; all of them on request. */
const FIRST = [
  'Step count',
  'Cycle count',
  'Step type',
  'Start time [s]',
  'Duration [s]',
  'Start voltage [V]',
  'End voltage [V]',
  'Mean current [A]',
  'Discharge capacity [A.h]',
  'Charge capacity [A.h]',
];
const ROWS = 200;

type Cell = number | string | null;

/** The steps of a measurement, read when they are opened. */
export function Steps({ id }: { id: string }) {
  const [isOpen, open] = useState(false);
  const [isAll, setAll] = useState(false);
  const { data, error, fetching, refetch } = useData(ConsoleMeasurementStepsDocument, { id }, { pause: !isOpen });
  const steps = (data?.measurement?.steps ?? {}) as Record<string, Cell[]>;
  const names = Object.keys(steps);
  const shown = isAll ? names : FIRST.filter(name => names.includes(name));
  const total = steps[names[0] ?? '']?.length ?? 0;
  const rows = Array.from({ length: Math.min(total, ROWS) }, (_, index) => index);
  const columns = shown.map((name): Column<number> => {
    const values = steps[name] ?? [];
    return { label: name, cell: row => text(values[row]), isNumber: values.some(value => typeof value === 'number') };
  });
  return (
    <section class="card stack">
      <div class="head">
        <h2>Steps</h2>
        <button type="button" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
          {isOpen ? 'Hide steps' : 'Show steps'}
        </button>
        {isOpen && total > 0 && (
          <label class="check">
            <input type="checkbox" checked={isAll} onChange={event => setAll(event.currentTarget.checked)} />
            all columns
          </label>
        )}
      </div>
      <Failure error={error} retry={refetch} />
      {isOpen && <Table label="Steps" columns={columns} rows={rows} id={String} isBusy={fetching} empty="No steps." />}
      {isOpen && total > ROWS && (
        <p class="dim">
          {count(ROWS)} of {count(total)} steps are shown.
        </p>
      )}
    </section>
  );
}

const text = (value: Cell | undefined) => (typeof value === 'number' ? <span title={exact(value)}>{short(value)}</span> : (value ?? '–'));
