import { useMemo, useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { Plot } from '../../components/plot';
import { Failure } from '../../components/problems';
import { ConsoleMeasurementSeriesDocument } from '../../generated/operations';

const POINTS = 1_500;
/** Beginnings of the names of columns that are shown at first. */
const SHOWN = [/^voltage/i, /^current/i, /temperature/i];
const MOST = 3;

type Columns = ReadonlyArray<{ name: string }>;
type Values = Record<string, Array<number | null>>;

/** Plots of columns over the first one, or over the time. A range that is picked is read from all rows of the file. */
export function Preview({ id, columns }: { id: string; columns: Columns }) {
  const axis = useMemo(() => (columns.find(({ name }) => /^time \[/i.test(name)) ?? columns[0])!.name, [columns]);
  const others = columns.filter(({ name }) => name !== axis).map(({ name }) => name);
  const [picked, pick] = useState(() => first(others));
  const [range, zoom] = useState<[number, number] | null>(null);
  const [xMin, xMax] = range ?? [null, null];
  const { data, error, fetching, refetch } = useData(ConsoleMeasurementSeriesDocument, {
    id,
    columns: picked,
    xColumn: axis,
    maxPoints: POINTS,
    xMin,
    xMax,
  });
  const values = data?.measurement?.series as Values | null | undefined;
  const x = values?.[axis];
  return (
    <section class="card stack" aria-label="Preview" aria-busy={fetching}>
      <div class="head">
        <h2>Preview</h2>
        {range !== null && (
          <button type="button" onClick={() => zoom(null)}>
            Whole range
          </button>
        )}
        <div class="row" role="group" aria-label="Columns to show">
          {others.map(name => (
            <label key={name} class="check small">
              <input
                type="checkbox"
                checked={picked.includes(name)}
                onChange={() => pick(others.filter(each => (each === name) !== picked.includes(each)))}
              />
              {name}
            </label>
          ))}
        </div>
      </div>
      <Failure error={error} retry={refetch} />
      {x !== undefined && x.length === 0 && <p class="dim">No row is in this range.</p>}
      {x !== undefined && x.length > 0 && isAscending(x) && (
        <>
          {picked
            .filter(name => values?.[name])
            .map(name => (
              <Plot
                key={name}
                title={name}
                xLabel={axis}
                yLabel={name}
                x={x}
                series={[{ label: name, values: values![name]!, color: others.indexOf(name) }]}
                height={200}
                sync={id}
                onZoom={zoom}
              />
            ))}
          <p class="dim small">
            Drag over a plot to zoom; the server then reads that range from all rows. Double click for the whole range.
          </p>
        </>
      )}
      {x !== undefined && x.length > 0 && !isAscending(x) && <Unordered picked={picked} values={values!} />}
    </section>
  );
}

/** Columns over their row numbers, for an axis that goes back and forth. */
function Unordered({ picked, values }: { picked: readonly string[]; values: Values }) {
  const shown = picked.filter(name => values[name]);
  const rows = (values[shown[0] ?? ''] ?? []).map((_, index) => index);
  return (
    <>
      {shown.map((name, index) => (
        <Plot
          key={name}
          title={name}
          xLabel="Row of the preview"
          yLabel={name}
          x={rows}
          series={[{ label: name, values: values[name]!, color: index }]}
          height={200}
        />
      ))}
    </>
  );
}

function first(names: readonly string[]): string[] {
  const found = names.filter(name => SHOWN.some(each => each.test(name)));
  return (found.length > 0 ? found : names).slice(0, MOST);
}

function isAscending(values: ReadonlyArray<number | null>): values is number[] {
  return values.every((value, index) => value !== null && (index === 0 || value >= values[index - 1]!));
}
