import { useState } from 'preact/hooks';
import { exact, short, withError } from '../../components/numbers';
import { Table } from '../../components/table';
import { Key, type Run } from './key';
import { difference } from './numbers';

type Value = Run['parameters'][number];

interface Row {
  name: string;
  values: Array<Value | undefined>;
  isFitted: boolean;
  isDifferent: boolean;
}

/** The parameters of the runs, with their errors and their differences to the first run. */
export function Parameters({ runs }: { runs: readonly Run[] }) {
  const rows = rowsOf(runs);
  const hasFitted = rows.some(({ isFitted }) => isFitted);
  const [isAll, setAll] = useState(false);
  const [onlyDifferent, setOnlyDifferent] = useState(false);
  const shown = rows.filter(row => (isAll || !hasFitted || row.isFitted) && (!onlyDifferent || row.isDifferent));
  return (
    <section class="card flush" aria-label="Parameters">
      <div class="head inside">
        <h2>Parameters</h2>
        {hasFitted && (
          <label class="check">
            <input type="checkbox" checked={isAll} onChange={event => setAll(event.currentTarget.checked)} />
            all {rows.length}, not only fitted ones
          </label>
        )}
        {runs.length > 1 && (
          <label class="check">
            <input type="checkbox" checked={onlyDifferent} onChange={event => setOnlyDifferent(event.currentTarget.checked)} />
            only different ones
          </label>
        )}
      </div>
      <Table
        label="Parameters of the runs"
        rows={shown}
        id={({ name }) => name}
        empty={rows.length === 0 ? 'No run has values yet.' : 'No parameter is different.'}
        columns={[
          { label: 'Parameter', cell: ({ name }) => name },
          ...runs.map((_, index) => ({
            label: <Key index={index} />,
            cell: ({ values }: Row) => <Cell value={values[index]} first={index > 0 ? values[0] : undefined} />,
            isNumber: true,
          })),
        ]}
      />
    </section>
  );
}

function rowsOf(runs: readonly Run[]): Row[] {
  const byName = runs.map(run => new Map(run.parameters.map(each => [each.name, each])));
  const fits = new Set(runs.flatMap(run => run.elements.filter(({ elementType }) => elementType === 'DATA_FIT').map(({ name }) => name)));
  const names = [...new Set(runs.flatMap(run => run.parameters.map(({ name }) => name)))];
  const rows = names.map((name): Row => {
    const values = byName.map(each => each.get(name));
    return {
      name,
      values,
      isFitted: values.some(each => each !== undefined && fits.has(each.element)),
      isDifferent: values.some(each => each?.value !== values[0]?.value),
    };
  });
  return [...rows.filter(({ isFitted }) => isFitted), ...rows.filter(({ isFitted }) => !isFitted)];
}

function Cell({ value, first }: { value: Value | undefined; first: Value | undefined }) {
  if (value === undefined) return <span class="dim">–</span>;
  if (value.value === null || value.value === undefined) return <span class="dim">no number</span>;
  const { standardError, lower, upper, confidenceLevel, atBound } = value;
  const level = short((confidenceLevel ?? 0.95) * 100, 3);
  return (
    <>
      <data value={String(value.value)} title={exact(value.value)}>
        {withError(value.value, standardError)}
      </data>
      {lower !== null && lower !== undefined && upper !== null && upper !== undefined && (
        <div class="dim small" title={`${exact(lower)} … ${exact(upper)}`}>
          {level}%: {short(lower, 7)} … {short(upper, 7)}
        </div>
      )}
      {atBound && <div class="small bound">at its bound</div>}
      {first?.value !== null && first?.value !== undefined && <Delta first={first} value={value} />}
    </>
  );
}

function Delta({ first, value }: { first: Value; value: Value }) {
  const { absolute, relative, inErrors } = difference(
    { value: first.value!, standardError: first.standardError ?? null },
    { value: value.value!, standardError: value.standardError ?? null },
  );
  if (absolute === 0) return <div class="dim small">the same</div>;
  const signed = (number: number, digits: number) => (number > 0 ? '+' : '') + short(number, digits);
  return (
    <div class="dim small" title={`difference ${exact(absolute)}`}>
      {relative === null ? signed(absolute, 3) : `${signed(relative * 100, 3)}%`}
      {inErrors !== null && `, ${signed(inErrors, 2)} σ`}
    </div>
  );
}
