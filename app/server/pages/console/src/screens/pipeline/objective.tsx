import { useMemo, useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { Plot, type Series } from '../../components/plot';
import { Failure } from '../../components/problems';
import { ConsoleSeriesDocument } from '../../generated/operations';
import { Impedance } from './impedance';
import { merged, variables, type Columns } from './series';

const MOST_POINTS = 1_500;

/** The model against the data of one objective. A part that is picked is read anew, with more points. */
export function Objective({ id, name, isFit }: { id: string; name: string; isFit: boolean }) {
  const [range, zoom] = useState<[number, number] | null>(null);
  const [hasGuess, setGuess] = useState(false);
  const { data, error, fetching, refetch } = useData(ConsoleSeriesDocument, {
    id,
    objective: name,
    maxPoints: MOST_POINTS,
    xMin: range?.[0] ?? null,
    xMax: range?.[1] ?? null,
  });
  const node = data?.node;
  const optimal = node && 'optimal' in node ? (node.optimal as Columns | null) : undefined;
  const baseline = node && 'baseline' in node ? (node.baseline as Columns | null) : undefined;
  if (error) return <Failure error={error} retry={refetch} />;
  if (optimal === undefined) return <p class="dim">Loading…</p>;
  if (optimal === null) return <p class="dim">The objective “{name}” has no series.</p>;
  const found = variables(optimal);
  const guess = hasGuess && isFit ? baseline : null;
  return (
    <section class="objective" aria-label={name} aria-busy={fetching}>
      <div class="row">
        <h2>{name}</h2>
        {isFit && baseline && (
          <label class="check small">
            <input type="checkbox" checked={hasGuess} onChange={event => setGuess(event.currentTarget.checked)} />
            First guess
          </label>
        )}
        {range && (
          <button type="button" class="quiet" onClick={() => zoom(null)}>
            Show all
          </button>
        )}
      </div>
      {found.axis === 'Frequency [Hz]' && 'Z_Re [Ohm] (data)' in optimal ? (
        <Impedance optimal={optimal} guess={guess ?? null} />
      ) : (
        found.names.map(each => (
          <Comparison key={each} objective={name} axis={found.axis} variable={each} optimal={optimal} guess={guess ?? null} onZoom={zoom} />
        ))
      )}
    </section>
  );
}

function Comparison({
  objective,
  axis,
  variable,
  optimal,
  guess,
  onZoom,
}: {
  objective: string;
  axis: string;
  variable: string;
  optimal: Columns;
  guess: Columns | null;
  onZoom: (range: [number, number] | null) => void;
}) {
  const { x, series, residual } = useMemo(() => compared(axis, variable, optimal, guess), [axis, variable, optimal, guess]);
  const sync = `${objective} ${variable}`;
  return (
    <div class="compared">
      <Plot title={variable} xLabel={axis} yLabel={variable} x={x} series={series} sync={sync} onZoom={onZoom} />
      <Plot title={`Residual of ${variable}`} xLabel={axis} yLabel="model − data" x={x} series={residual} sync={sync} height={140} onZoom={onZoom} hasLegend={false} />
    </div>
  );
}

function compared(axis: string, variable: string, optimal: Columns, guess: Columns | null) {
  const [x, columns] = merged(axis, guess ? [optimal, guess] : [optimal]);
  const [fitted, first] = columns;
  const data = fitted?.[`${variable} (data)`] ?? [];
  const model = fitted?.[`${variable} (model)`] ?? [];
  const series: Series[] = [
    { label: 'data', values: data, color: 'muted', kind: 'points' },
    ...(first ? [{ label: 'model, first guess', values: first[`${variable} (model)`] ?? [], color: 1, kind: 'dashed' } as Series] : []),
    { label: 'model', values: model, color: 0 },
  ];
  const values = model.map((each, i) => (each === null || data[i] === null || data[i] === undefined ? null : each - data[i]));
  return { x, series, residual: [{ label: 'model − data', values, color: 0 } as Series] };
}
