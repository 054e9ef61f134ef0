import { useMemo, useState } from 'preact/hooks';
import { Plot, type Series } from '../../components/plot';
import { Failure } from '../../components/problems';
import { ConsoleCompareHistoryDocument, ConsoleCompareSeriesDocument } from '../../generated/operations';
import type { Run } from './key';
import { useEach } from './each';
import { aligned, less, type Curve } from './numbers';

const POINTS = 1_000;

type Columns = Record<string, Array<number | null>>;

const named = (runs: readonly Run[], index: number) => `${index + 1} ${runs[index]!.name}`;

/** The lowest cost so far of each run's fit, over its evaluations. */
export function Histories({ runs }: { runs: readonly Run[] }) {
  const fits = [
    ...new Set(runs.flatMap(run => run.elements.filter(({ elementType }) => elementType === 'DATA_FIT').map(({ name }) => name))),
  ];
  const [picked, pick] = useState<string | null>(null);
  const fit = picked ?? fits[0];
  const ids = runs.map(({ id }) => id);
  const { answers, refetch } = useEach(ConsoleCompareHistoryDocument, ids, { maxPoints: POINTS }, fit === undefined || !runs.some(isDone));
  const drawn = answers.flatMap(({ data }, index) => {
    const history = data?.pipeline?.elements.find(({ name }) => name === fit)?.history as Columns | null | undefined;
    return history ? [{ index, curve: { x: history['evaluation']!, y: history['best_cost']! } }] : [];
  });
  const key = JSON.stringify(drawn.map(({ index, curve }) => [index, curve.x.length, curve.y.at(-1)]));
  const { x, ys } = useMemo(() => aligned(drawn.map(({ curve }) => curve)), [key]);
  if (fit === undefined) return null;
  return (
    <section class="card stack" aria-label="Cost histories">
      <div class="head">
        <h2>Cost histories</h2>
        <Pick label="Fit" options={fits} value={fit} onPick={pick} />
      </div>
      <Failure error={answers.find(({ error }) => error)?.error} retry={refetch} />
      {x.length === 0 ? (
        <p class="dim">No run has a history of this fit.</p>
      ) : (
        <Plot
          title="Lowest cost so far"
          xLabel="Evaluations"
          yLabel="Cost"
          x={x}
          series={drawn.map(({ index }, place) => ({ label: named(runs, index), values: ys[place]!, color: index }))}
          isLog={ys.every(row => row.every(value => value === null || value > 0))}
        />
      )}
    </section>
  );
}

const isDone = (run: Run) => run.elements.some(({ status }) => status === 'COMPLETED');

interface Choice {
  element: string;
  objective: string;
}

/** Model and data of one objective in all runs, with the residuals below. */
export function Objectives({ runs }: { runs: readonly Run[] }) {
  const choices = useMemo(() => choicesOf(runs), [runs]);
  const [picked, pick] = useState<string | null>(null);
  const [range, zoom] = useState<[number, number] | null>(null);
  const [variable, setVariable] = useState<string | null>(null);
  const texts = choices.map(textOf);
  const choice = choices[Math.max(texts.indexOf(picked ?? ''), 0)];
  const [xMin, xMax] = range ?? [null, null];
  const ids = runs.map(({ id }) => id);
  const { answers, refetch } = useEach(
    ConsoleCompareSeriesDocument,
    ids,
    { objective: choice?.objective ?? '', maxPoints: POINTS, xMin, xMax },
    choice === undefined,
  );
  if (choice === undefined) return null;
  const all = answers.map(
    ({ data }) => data?.pipeline?.elements.find(({ name }) => name === choice.element)?.series as Columns | null | undefined,
  );
  const variables = [
    ...new Set(
      all.flatMap(each =>
        Object.keys(each ?? {})
          .filter(isData)
          .map(stem),
      ),
    ),
  ];
  const shown = variables.includes(variable ?? '') ? variable! : variables[0];
  return (
    <section class="card stack" aria-label="Model and data">
      <div class="head">
        <h2>Model and data</h2>
        <Pick label="Objective" options={texts} value={textOf(choice)} onPick={value => (pick(value), zoom(null))} />
        {variables.length > 1 && <Pick label="Variable" options={variables} value={shown!} onPick={setVariable} />}
        {range !== null && (
          <button type="button" onClick={() => zoom(null)}>
            Whole range
          </button>
        )}
      </div>
      <Failure error={answers.find(({ error }) => error)?.error} retry={refetch} />
      {shown !== undefined && <Pair runs={runs} all={all} variable={shown} onZoom={zoom} />}
    </section>
  );
}

function Pair({
  runs,
  all,
  variable,
  onZoom,
}: {
  runs: readonly Run[];
  all: ReadonlyArray<Columns | null | undefined>;
  variable: string;
  onZoom: (range: [number, number] | null) => void;
}) {
  const drawn = all.flatMap((columns, index) => {
    const [axis, data, model] = [Object.keys(columns ?? {})[0], columns?.[`${variable} (data)`], columns?.[`${variable} (model)`]];
    return columns && axis !== undefined && data && model ? [{ index, axis, x: columns[axis]!, data, model }] : [];
  });
  const axis = drawn[0]?.axis ?? '';
  const key = JSON.stringify([variable, drawn.map(({ index, x, model }) => [index, x.length, x[0], x.at(-1), model.at(-1)])]);
  const [fits, residuals] = useMemo(() => {
    const models = drawn.map(({ index, x, model }): [Curve, Omit<Series, 'values'>] => [
      { x, y: model },
      { label: named(runs, index), color: index },
    ]);
    const measured: Array<[Curve, Omit<Series, 'values'>]> = drawn.slice(0, 1).map(({ x, data, index }) => [
      { x, y: data },
      { label: `data of ${named(runs, index)}`, color: 'muted', kind: 'points' },
    ]);
    const rest = drawn.map(({ index, x, data, model }): [Curve, Omit<Series, 'values'>] => [
      { x, y: less(model, data) },
      { label: named(runs, index), color: index },
    ]);
    return [together([...measured, ...models]), together(rest)];
  }, [key]);
  if (drawn.length === 0) return null;
  return (
    <>
      <Plot title={variable} xLabel={axis} yLabel={variable} {...fits!} sync="compare" onZoom={onZoom} />
      <Plot title="Model less data" xLabel={axis} yLabel="Model − data" {...residuals!} height={160} sync="compare" onZoom={onZoom} />
    </>
  );
}

function together(curves: Array<[Curve, Omit<Series, 'values'>]>): { x: number[]; series: Series[] } {
  const { x, ys } = aligned(curves.map(([curve]) => curve));
  return { x, series: curves.map(([, look], index) => ({ ...look, values: ys[index]! })) };
}

function choicesOf(runs: readonly Run[]): Choice[] {
  const found = new Map<string, Choice>();
  for (const run of runs) {
    for (const element of run.elements) {
      for (const { name, sources } of element.objectives) {
        const choice = { element: element.name, objective: name };
        if (sources.some(({ source }) => source === 'OPTIMAL')) found.set(JSON.stringify(choice), choice);
      }
    }
  }
  return [...found.values()];
}

const textOf = ({ element, objective }: Choice) => `${element} › ${objective}`;
const isData = (name: string) => name.endsWith(' (data)');
const stem = (name: string) => name.slice(0, -' (data)'.length);

function Pick({
  label,
  options,
  value,
  onPick,
}: {
  label: string;
  options: readonly string[];
  value: string;
  onPick: (value: string) => void;
}) {
  return (
    <label class="row">
      <span class="dim">{label}</span>
      <select value={value} onChange={event => onPick(event.currentTarget.value)}>
        {options.map(each => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
