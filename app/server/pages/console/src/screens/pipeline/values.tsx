import { useMemo } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { exact, short, withError } from '../../components/numbers';
import { Plot, type Series } from '../../components/plot';
import { Failure } from '../../components/problems';
import { Table, type Column } from '../../components/table';
import { ConsoleElementResultDocument } from '../../generated/operations';
import { Intervals } from './intervals';
import { functionOf, resultOf, type Result, type Value } from './result';
import type { Element } from './types';

/** What came out of an element: values with their errors, statistics, and warnings. */
export function Values({ element }: { element: Element }) {
  const { id, status, warnings } = element;
  const isOver = status === 'COMPLETED';
  const { data, error, refetch } = useData(ConsoleElementResultDocument, { id }, { pause: !isOver });
  const node = data?.node;
  const raw = node && 'result' in node ? (node.result as unknown) : undefined;
  const result = useMemo(() => (raw ? resultOf(raw) : undefined), [raw]);
  if (!isOver) return <p class="dim">{status === 'RUNNING' ? 'It runs: values come when it has ended.' : 'It has no values.'}</p>;
  if (error) return <Failure error={error} retry={refetch} />;
  if (!result) return <p class="loading">Loading…</p>;
  return (
    <div class="stack">
      {warnings && warnings.length > 0 && (
        <div class="box warn">
          <ul>
            {warnings.map(({ code, message, parameter, objective }) => (
              <li key={`${code} ${parameter} ${objective}`}>
                <b>{code}</b> {message}
              </li>
            ))}
          </ul>
        </div>
      )}
      <Facts result={result} />
      {result.values.length > 0 && <Numbers result={result} />}
      <Intervals values={result.values} level={result.level} />
      {result.statistics.length > 0 && <Statistics result={result} />}
      {result.functions.map(({ name, value }) => (
        <Function key={name} name={name} value={value} />
      ))}
      <Correlation result={result} />
    </div>
  );
}

function Facts({ result: { facts } }: { result: Result }) {
  if (facts.length === 0) return null;
  return (
    <dl class="facts">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Numbers({ result: { values, level } }: { result: Result }) {
  const isFit = values.some(({ initial, error }) => initial !== undefined || error !== undefined);
  const columns: Array<Column<Value>> = [
    { label: 'Parameter', cell: ({ name }) => name, kind: 'main' },
    ...(isFit ? [{ label: 'Initial', cell: ({ initial }: Value) => <span class="dim">{short(initial)}</span>, isNumber: true, kind: 'wide' }] : []),
    {
      label: isFit ? 'Value ± standard error' : 'Value',
      cell: ({ value, error }) => <b title={exact(value)}>{error === undefined || typeof value !== 'number' ? exact(value) : withError(value, error)}</b>,
      isNumber: true,
    },
    ...(isFit
      ? [
          {
            label: level ? `${short(level * 100)}% interval` : 'Interval',
            cell: ({ lower, upper }: Value) => (lower === undefined ? '–' : `${short(lower, 7)} … ${short(upper, 7)}`),
            isNumber: true,
          },
          {
            label: 'Bounds',
            cell: ({ bounds, atBound }: Value) => (
              <>
                {atBound && <span class="chip alert">at a bound</span>} <span class="dim">{bounds ? `${short(bounds[0])} … ${short(bounds[1])}` : '–'}</span>
              </>
            ),
            isNumber: true,
            kind: 'wide',
          },
        ]
      : []),
  ];
  return <Table label="Values" rows={values} id={({ name }) => name} columns={columns} />;
}

function Statistics({ result: { statistics } }: { result: Result }) {
  return (
    <Table
      label="Statistics"
      rows={statistics}
      id={({ objective, statistic, variable }) => `${objective} ${statistic} ${variable}`}
      columns={[
        { label: 'Objective', cell: ({ objective }) => objective },
        { label: 'Variable', cell: ({ variable }) => variable },
        { label: 'Statistic', cell: ({ statistic }) => statistic },
        { label: 'Value', cell: ({ value }) => <b title={exact(value)}>{short(value)}</b>, isNumber: true },
      ]}
    />
  );
}

/** A value that is a function: its table as a plot, or the names of its arguments. */
function Function({ name, value }: { name: string; value: unknown }) {
  const found = useMemo(() => functionOf(value), [value]);
  const series = useMemo((): Series[] => [{ label: name, values: found.y ?? [], color: 0 }], [name, found]);
  if (found.x && found.y) {
    return <Plot title={name} xLabel={found.args[0] ?? 'x'} yLabel={name} x={found.x} series={series} height={220} hasLegend={false} />;
  }
  return (
    <p>
      {name}: <span class="dim">{found.args.length ? `a function of ${found.args.join(', ')}` : 'no number'}</span>
    </p>
  );
}

/** Number of parameters up to which their correlations are open at first. */
const FEW = 8;

/** The colour of a correlation: one for each sign, stronger for a stronger one, and pale enough for the text on it. */
const shade = (value: number) => `color-mix(in srgb, var(--series-${value < 0 ? 2 : 1}) ${Math.round(Math.abs(value) * 30)}%, transparent)`;

/** Correlations of the parameters of a fit. Those near 1 or −1 mean that the data hardly distinguish two parameters. */
function Correlation({ result: { correlation } }: { result: Result }) {
  if (!correlation || correlation.parameters.length < 2) return null;
  const { parameters, matrix } = correlation;
  return (
    <details open={parameters.length <= FEW}>
      <summary>Correlation of {parameters.length} parameters</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Correlation">
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              {parameters.map((name, i) => (
                <th key={name} scope="col" class="number" title={name}>
                  {i + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parameters.map((name, i) => (
              <tr key={name}>
                <th scope="row">
                  {i + 1}. {name}
                </th>
                {matrix[i]?.map((value, j) => (
                  <td key={j} class={`number ${Math.abs(value) > 0.95 && i !== j ? 'strong' : ''}`} style={{ background: shade(value) }}>
                    {value.toFixed(2).replace('-', '−')}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
