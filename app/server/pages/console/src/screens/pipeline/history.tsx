import { useEffect, useMemo, useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { Plot, type Series } from '../../components/plot';
import { Failure } from '../../components/problems';
import { ConsoleHistoryDocument, ConsoleTraceDocument } from '../../generated/operations';
import type { Element } from './types';

const MOST_POINTS = 2_000;
const MOST_CHECKPOINTS = 1_000;
const FIRST_PARAMETERS = 6;
const MOST_STARTS = 8;
/** Number of parameters whose plots fit beside the cost. */
const BESIDE = 2;

/** The evaluations of a fit: columns of equal length. */
interface Evaluations {
  evaluation: number[];
  start: number[];
  cost: Array<number | null>;
  best: Array<number | null>;
  parameters: Record<string, Array<number | null>>;
}

/** How the cost and the parameters of a fit changed. While it runs these are its checkpoints, then all evaluations. */
export function History({ element }: { element: Element }) {
  return element.status === 'RUNNING' ? <Running element={element} /> : <Ended element={element} />;
}

function Running({ element: { job } }: { element: Element }) {
  const id = job?.id ?? '';
  const { data, error, refetch } = useData(ConsoleTraceDocument, { id, maxPoints: MOST_CHECKPOINTS }, { pause: !job });
  const newest = job?.progress?.at;
  useEffect(refetch, [newest]); // the subscription of the pipeline tells of each checkpoint
  const node = data?.node;
  const trace = node && 'trace' in node ? node.trace : undefined;
  const evaluations = useMemo(() => trace && ofTrace(trace), [trace]);
  return (
    <>
      <Failure error={error} />
      {evaluations?.evaluation.length ? <Shown of={evaluations} /> : <p class="dim">Waits for the first evaluations…</p>}
    </>
  );
}

function Ended({ element: { id, job } }: { element: Element }) {
  const { data, error, fetching, refetch } = useData(ConsoleHistoryDocument, { id, maxPoints: MOST_POINTS });
  const node = data?.node;
  const history = node && 'history' in node ? (node.history as Record<string, Array<number | null>> | null) : undefined;
  const evaluations = useMemo(() => history && ofHistory(history), [history]);
  if (error) return <Failure error={error} retry={refetch} />;
  if (evaluations) return <Shown of={evaluations} />;
  return fetching || !job ? <p class="dim">Loading…</p> : <p class="dim">This fit has no history of its evaluations.</p>;
}

function ofHistory({ evaluation, start, cost, best_cost: best, ...parameters }: Record<string, Array<number | null>>): Evaluations {
  return { evaluation: (evaluation ?? []) as number[], start: (start ?? []) as number[], cost: cost ?? [], best: best ?? [], parameters };
}

type Trace = ReadonlyArray<{
  iteration?: number | null | undefined;
  cost?: number | null | undefined;
  bestCost?: number | null | undefined;
  parameters?: Record<string, number>;
}>;

function ofTrace(trace: Trace): Evaluations {
  const known = trace.filter(({ iteration }) => typeof iteration === 'number');
  // An attempt after a crash begins again: its checkpoints follow those of the attempt before.
  const begin = known.findLastIndex(({ iteration }, i) => i > 0 && (iteration ?? 0) <= (known[i - 1]?.iteration ?? 0));
  const points = known.slice(Math.max(begin, 0));
  const names = [...new Set(points.flatMap(({ parameters }) => Object.keys(parameters ?? {})))];
  return {
    evaluation: points.map(({ iteration }) => iteration as number),
    start: points.map(() => 0),
    cost: points.map(({ cost }) => cost ?? null),
    best: points.map(({ bestCost }) => bestCost ?? null),
    parameters: Object.fromEntries(names.map(name => [name, points.map(({ parameters }) => parameters?.[name] ?? null)])),
  };
}

function Shown({ of: { evaluation, start, cost, best, parameters } }: { of: Evaluations }) {
  const [isLinear, setLinear] = useState(false);
  const [isAll, setAll] = useState(false);
  const isPositive = [...cost, ...best].every(each => each === null || each > 0);
  const series = useMemo(() => costs(start, cost, best), [start, cost, best]);
  const names = Object.keys(parameters);
  return (
    <>
      <div class={names.length <= BESIDE ? 'history beside' : 'history'}>
        <div>
          <Plot title="Cost" xLabel="Evaluation" isCountX yLabel="Cost" x={evaluation} series={series} isLog={isPositive && !isLinear} height={names.length === BESIDE ? 330 : 260} />
          {isPositive && (
            <label class="check small below-plot">
              <input type="checkbox" checked={isLinear} onChange={event => setLinear(event.currentTarget.checked)} />
              Linear axis
            </label>
          )}
        </div>
        <div class="parameters">
          {names.slice(0, isAll ? undefined : FIRST_PARAMETERS).map(name => (
            <Parameter key={name} name={name} x={evaluation} values={parameters[name] ?? []} height={names.length === 1 ? 260 : 170} />
          ))}
        </div>
      </div>
      {names.length > FIRST_PARAMETERS && (
        <div>
          <button type="button" onClick={() => setAll(!isAll)}>
            {isAll ? 'Show fewer parameters' : `Show all ${names.length} parameters`}
          </button>
        </div>
      )}
    </>
  );
}

function costs(start: readonly number[], cost: ReadonlyArray<number | null>, best: ReadonlyArray<number | null>): Series[] {
  const starts = [...new Set(start)];
  const lowest: Series = { label: 'lowest so far', values: best, color: 0 };
  if (starts.length < 2 || starts.length > MOST_STARTS) return [{ label: 'cost', values: cost, color: 'muted', kind: 'points' }, lowest];
  const each = starts.map((number, i): Series => {
    const values = cost.map((value, row) => (start[row] === number ? value : null));
    return { label: `start ${number + 1}`, values, color: i + 1, kind: 'points' };
  });
  return [...each, lowest];
}

function Parameter({ name, x, values, height }: { name: string; x: readonly number[]; values: ReadonlyArray<number | null>; height: number }) {
  const series = useMemo((): Series[] => [{ label: name, values, color: 2, kind: 'points' }], [name, values]);
  const known = values.filter(each => each !== null);
  const isWide = known.length > 0 && Math.min(...known) > 0 && Math.max(...known) > 30 * Math.min(...known);
  return <Plot title={name} xLabel="Evaluation" isCountX yLabel={unit(name)} x={x} series={series} isLog={isWide} height={height} hasLegend={false} />;
}

/** The unit of a name such as `Voltage [V]`, or `value`. */
function unit(name: string): string {
  return /\[([^\]]+)\]\s*$/.exec(name)?.[1] ?? 'value';
}
