import { Fragment } from 'preact';
import { Figure } from '../../components/figure';
import { exact, short } from '../../components/numbers';
import { Table } from '../../components/table';
import type { Value } from './result';

type Interval = Value & { value: number; lower: number; upper: number };

/** Quotient of the bounds from which their axis is logarithmic. */
const WIDE = 30;

/** The fitted values with their confidence intervals: within the bounds, and in relation to the value. */
export function Intervals({ values, level }: { values: readonly Value[]; level: number | undefined }) {
  const known = values.filter((each): each is Interval => typeof each.value === 'number' && each.lower !== undefined && each.upper !== undefined);
  if (known.length === 0) return null;
  const title = `${level ? `${short(level * 100)}% confidence` : 'Confidence'} intervals`;
  const most = Math.max(...known.flatMap(share).map(Math.abs)) || 1;
  return (
    <Figure title={title} plot={() => <Rows title={title} values={known} most={most} />} table={() => <Numbers title={title} values={known} />}>
      <ul class="legend flat">
        <li>
          <i class="key points interval" /> value
        </li>
        <li>
          <i class="key interval" /> interval
        </li>
        {known.some(({ initial }) => initial !== undefined) && (
          <li>
            <i class="key first" /> initial value
          </li>
        )}
      </ul>
    </Figure>
  );
}

function Rows({ title, values, most }: { title: string; values: readonly Interval[]; most: number }) {
  return (
    <div class="intervals" role="img" aria-label={`${title} of ${values.length} parameters. A table of the same data can be shown.`}>
      <span class="dim small">Within the bounds</span>
      <span class="dim small">Interval, in % of the value</span>
      {values.map(each => {
        const { name, value, lower, upper, initial } = each;
        const [low, high] = rangeOf(each);
        const at = place(low, high);
        const [below, above] = share(each);
        const within = (number: number) => (number + most) / (2 * most);
        return (
          <Fragment key={name}>
            <b>{name}</b>
            <Track from={at(lower)} to={at(upper)} dot={at(value)} mark={initial === undefined ? undefined : at(initial)} texts={[short(low, 4), '', short(high, 4)]} />
            <Track from={within(below)} to={within(above)} dot={0.5} texts={[percent(-most), `${percent(below)} … ${percent(above)}`, percent(most)]} />
          </Fragment>
        );
      })}
    </div>
  );
}

function Track({ from, to, dot, mark, texts }: { from: number; to: number; dot: number; mark?: number | undefined; texts: [string, string, string] }) {
  const left = (share: number) => `${(Math.min(Math.max(share, 0), 1) * 100).toFixed(2)}%`;
  return (
    <div class="track">
      <div>
        <i class="bar" style={{ left: left(from), right: left(1 - to) }} />
        {mark !== undefined && <i class="mark" style={{ left: left(mark) }} />}
        <i class="dot" style={{ left: left(dot) }} />
      </div>
      {texts.map((text, i) => (
        <span key={i}>{text}</span>
      ))}
    </div>
  );
}

/** The bounds; without them the least and the greatest number of the row. */
function rangeOf({ value, lower, upper, initial = value, bounds = [lower, upper] }: Interval): [number, number] {
  const [low, high] = bounds.map(each => (Number.isFinite(each) ? each : null));
  return [low ?? Math.min(lower, initial), high ?? Math.max(upper, initial)];
}

/** The place of a number within a range, from 0 to 1: on a logarithmic axis if the range is positive and wide. */
function place(low: number, high: number): (value: number) => number {
  const isLog = low > 0 && high > WIDE * low;
  const on = isLog ? Math.log : (value: number) => value;
  return value => (value <= low ? 0 : (on(value) - on(low)) / (on(high) - on(low)));
}

/** The ends of the interval as parts of the value, less the value. */
function share({ value, lower, upper }: Interval): [number, number] {
  const size = Math.abs(value) || 1;
  return [(lower - value) / size, (upper - value) / size];
}

const percent = (value: number) => `${value > 0 ? '+' : ''}${short(value * 100, 2)}%`;

function Numbers({ title, values }: { title: string; values: readonly Interval[] }) {
  return (
    <Table
      label={`${title}, as a table`}
      rows={values}
      id={({ name }) => name}
      columns={[
        { label: 'Parameter', cell: ({ name }) => name },
        ...(['initial', 'lower', 'value', 'upper'] as const).map(key => ({ label: key === 'initial' ? 'initial value' : key, cell: (row: Interval) => exact(row[key]), isNumber: true })),
        { label: 'bounds', cell: ({ bounds }) => (bounds ? `${exact(bounds[0])} … ${exact(bounds[1])}` : '–'), isNumber: true },
      ]}
    />
  );
}
