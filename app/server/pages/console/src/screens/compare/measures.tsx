import { count, exact, short } from '../../components/numbers';
import { Table } from '../../components/table';
import { Key, type Run } from './key';

interface Row {
  label: string;
  values: Array<number | null>;
  isCount?: boolean;
}

/** Costs and evaluations of the fits, statistics of the validations, and durations. */
export function Measures({ runs }: { runs: readonly Run[] }) {
  return (
    <section class="card flush" aria-label="Costs and durations">
      <h2 class="inside">Costs and durations</h2>
      <Table
        label="Costs and durations of the runs"
        rows={rowsOf(runs)}
        id={({ label }) => label}
        columns={[
          { label: 'Measure', cell: ({ label }) => label },
          ...runs.map((_, index) => ({
            label: <Key index={index} />,
            cell: ({ values, isCount }: Row) => <Cell value={values[index] ?? null} isCount={isCount} />,
            isNumber: true,
          })),
        ]}
      />
    </section>
  );
}

function Cell({ value, isCount }: { value: number | null; isCount: boolean | undefined }) {
  if (value === null) return <span class="dim">–</span>;
  return (
    <data value={String(value)} title={exact(value)}>
      {isCount ? count(value) : short(value)}
    </data>
  );
}

function rowsOf(runs: readonly Run[]): Row[] {
  const rows = new Map<string, Row>();
  const note = (index: number, label: string, value: number | null | undefined, isCount = false) => {
    const row = rows.get(label) ?? { label, values: runs.map(() => null), isCount };
    row.values[index] = value ?? null;
    rows.set(label, row);
  };
  runs.forEach((run, index) => {
    for (const { name, outcome } of run.elements) {
      if (!outcome) continue;
      if ('cost' in outcome) {
        note(index, `Cost of ${name}`, outcome.cost);
        note(index, `Evaluations of ${name}`, outcome.evaluations, true);
      }
      if (!('objectives' in outcome)) continue;
      for (const objective of outcome.objectives ?? []) {
        for (const each of objective.statistics) {
          note(index, [each.name, 'of', name, objective.name, each.variable].filter(Boolean).join(' '), each.value);
        }
      }
    }
    const seconds = run.startedAt && run.finishedAt ? (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000 : null;
    note(index, 'Duration [s]', seconds);
  });
  return [...rows.values()];
}
