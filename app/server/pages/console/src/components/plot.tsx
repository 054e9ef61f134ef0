import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type uPlotType from 'uplot';
import { Figure } from './figure';
import { exact, short } from './numbers';

export interface Series {
  label: string;
  /** One value per value of the axis; null where there is none. */
  values: ReadonlyArray<number | null>;
  /** Number of its colour, or `muted`. */
  color: number | 'muted';
  kind?: 'line' | 'dashed' | 'points' | 'steps';
}

export interface PlotProps {
  /** What it shows, for those who do not see it. */
  title: string;
  xLabel: string;
  yLabel: string;
  /** Ascending. */
  x: readonly number[];
  series: readonly Series[];
  isLog?: boolean;
  isLogX?: boolean;
  /** Whether the values of the axis are counts. */
  isCountX?: boolean;
  height?: number;
  hasLegend?: boolean;
  /** Plots with the same name share their cursor. */
  sync?: string;
  /** A range of the axis was picked, or the whole of it with null. Without it the plot zooms by itself. */
  onZoom?: (range: [number, number] | null) => void;
}

const TABLE_ROWS = 200;
/** Distances of the marks of an axis of counts. */
const WHOLE = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap(power => [1, 2, 5].map(step => step * 10 ** power));

/** Lines and points over an axis: drag to zoom, double click to zoom out. The same data stand beside it as a table. */
export function Plot(props: PlotProps) {
  const { title, x, series, hasLegend = true } = props;
  return (
    <Figure title={title} plot={() => <Canvas {...props} />} table={() => <Values {...props} />}>
      {hasLegend && (
        <ul class="legend">
          {series.map(({ label, color, kind }) => (
            <li key={label}>
              <i class={`key ${kind ?? 'line'}`} style={{ color: `var(${variable(color)})` }} />
              {label}
            </li>
          ))}
        </ul>
      )}
      <p class="unseen">{summary(x, series)}</p>
    </Figure>
  );
}

function Canvas({ title, xLabel, yLabel, x, series, isLog, isLogX, isCountX, height = 260, sync, onZoom }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlotType | undefined>(undefined);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const isZoomed = useRef(false);
  const scheme = useScheme();
  const data = useMemo(() => aligned(x, series), [x, series]);
  const shape = JSON.stringify([xLabel, yLabel, isLog, isLogX, height, sync, scheme, series.map(each => [each.label, each.color, each.kind])]);
  const newest = useRef(data);
  newest.current = data;
  useEffect(() => {
    let isOver = false;
    let watch: ResizeObserver | undefined;
    void import('./uplot').then(({ uPlot }) => {
      const at = place.current;
      if (isOver || at === null) return;
      const drawn = new uPlot(options(at, { xLabel, yLabel, series, isLog, isLogX, isCountX, height, sync }, zoom, isZoomed), newest.current, at);
      plot.current = drawn;
      watch = new ResizeObserver(() => drawn.setSize({ width: at.clientWidth, height }));
      watch.observe(at);
    });
    return () => {
      isOver = true;
      watch?.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);
  // A part that the plot shows by itself stays when points are added; one from the server is all there is.
  useEffect(() => {
    const drawn = plot.current;
    if (!drawn) return;
    const isPart = zoom.current === undefined && isZoomed.current;
    drawn.setData(data, !isPart);
    if (isPart) drawn.redraw();
  }, [data]);
  return (
    <div
      ref={place}
      class="canvas"
      role="img"
      aria-label={`${title}: ${yLabel} over ${xLabel}. A table of the same data can be shown.`}
      style={{ minHeight: `${height}px` }}
    />
  );
}

type Look = Pick<PlotProps, 'xLabel' | 'yLabel' | 'series' | 'isLog' | 'isLogX' | 'isCountX' | 'height' | 'sync'>;
type Zoom = { current: PlotProps['onZoom'] };

function options(at: HTMLElement, look: Look, zoom: Zoom, isZoomed: { current: boolean }): uPlotType.Options {
  const { xLabel, yLabel, series, isLog, isLogX, isCountX, height = 260, sync } = look;
  const colors = palette(at);
  const font = '12px system-ui, sans-serif';
  const axis = (label: string, isLogarithmic: boolean | undefined): uPlotType.Axis => ({
    label,
    labelFont: font,
    font,
    stroke: colors('--dim'),
    labelGap: 2,
    grid: { stroke: colors('--grid'), width: 1, ...(isLogarithmic ? { filter: powers } : {}) },
    ticks: { show: false },
    values: (_, splits) => splits.map(each => (each === null || (isLogarithmic && !isPower(each)) ? '' : short(each, 6))),
  });
  return {
    width: at.clientWidth,
    height,
    legend: { show: false },
    padding: [8, 24, 0, 0],
    cursor: {
      drag: { x: true, y: false, setScale: true },
      points: { size: 7 },
      ...(sync === undefined ? {} : { sync: { key: sync, setSeries: false } }),
      bind: {
        dblclick: (_, __, handle) => event => {
          isZoomed.current = false;
          zoom.current?.(null);
          return handle(event);
        },
      },
    },
    scales: {
      x: { time: false, ...(isLogX ? { distr: 3 as const } : {}) },
      y: isLog ? { distr: 3 } : { range: (_, low, high) => padded(low, high) },
    },
    axes: [
      { ...axis(xLabel, isLogX), size: 28, labelSize: 16, gap: 4, ...(isCountX ? { incrs: WHOLE } : {}) },
      { ...axis(yLabel, isLog), size: 62, labelSize: 18 },
    ],
    series: [{ label: xLabel }, ...series.map(each => drawing(each, colors(variable(each.color))))],
    hooks: {
      setSelect: [
        plot => {
          if (plot.select.width <= 0) return;
          isZoomed.current = true;
          const { left, width } = plot.select;
          zoom.current?.([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
        },
      ],
    },
    plugins: [reading(look)],
  };
}

function drawing({ label, kind }: Series, color: string): uPlotType.Series {
  if (kind === 'points') return { label, stroke: color, width: 0, points: { show: true, size: 4, width: 1, fill: color } };
  return { label, stroke: color, width: 1.75, spanGaps: true, points: { show: false }, ...(kind === 'dashed' ? { dash: [6, 5] } : {}) };
}

/** The values under the cursor, beside it. */
function reading({ xLabel, series }: Look): uPlotType.Plugin {
  const box = document.createElement('div');
  box.className = 'reading';
  return {
    hooks: {
      init: plot => void plot.over.append(box),
      setCursor: plot => {
        const { idx, left = -1 } = plot.cursor;
        box.hidden = idx === null || idx === undefined || left < 0;
        if (idx === null || idx === undefined || left < 0) return;
        const values = series.map(({ label }, i) => [label, plot.data[i + 1]?.[idx]] as const).filter(([, value]) => value !== null);
        const lines = [[xLabel, plot.data[0][idx]] as const, ...values];
        box.replaceChildren(...lines.map(([label, value]) => line(label, value)));
        const isRight = left > plot.over.clientWidth / 2;
        box.style.transform = `translateX(${isRight ? `calc(${left - 12}px - 100%)` : `${left + 12}px`})`;
      },
    },
  };
}

function line(label: string, value: number | null | undefined): HTMLElement {
  const row = document.createElement('div');
  const name = document.createElement('span');
  name.textContent = label;
  const number = document.createElement('b');
  number.textContent = short(value, 6);
  row.append(name, number);
  return row;
}

function padded(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
  return [low - margin, high + margin];
}

const powers = (_: unknown, splits: Array<number | null>) => splits.map(each => (each !== null && isPower(each) ? each : null));

const isPower = (value: number) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;

/** Colours of the scheme that is shown, which a canvas cannot take from style sheets. */
function palette(at: HTMLElement): (name: string) => string {
  return name => {
    const probe = document.createElement('i');
    probe.style.color = `var(${name})`;
    at.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

/** The name of a colour in the style sheet. */
export function variable(color: Series['color']): string {
  return color === 'muted' ? '--muted' : `--series-${(color % 8) + 1}`;
}

/** `dark` or `light`, followed while the page is shown. */
function useScheme(): string {
  const dark = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), []);
  const [isDark, set] = useState(dark.matches);
  useEffect(() => {
    const change = () => set(dark.matches);
    dark.addEventListener('change', change);
    return () => dark.removeEventListener('change', change);
  }, [dark]);
  return isDark ? 'dark' : 'light';
}

function aligned(x: readonly number[], series: readonly Series[]): uPlotType.AlignedData {
  return [x as number[], ...series.map(({ values }) => values as Array<number | null>)];
}

function Values({ title, xLabel, x, series }: PlotProps) {
  const step = Math.max(Math.ceil(x.length / TABLE_ROWS), 1);
  const rows = x.map((_, i) => i).filter(i => i % step === 0 || i === x.length - 1);
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            {[xLabel, ...series.map(({ label }) => label)].map(label => (
              <th key={label} scope="col" class="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(i => (
            <tr key={i}>
              <td class="number">{exact(x[i])}</td>
              {series.map(({ label, values }) => (
                <td key={label} class="number">
                  {exact(values[i])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function summary(x: readonly number[], series: readonly Series[]): string {
  const parts = series.map(({ label, values }) => {
    const known = values.filter(each => each !== null);
    if (known.length === 0) return `${label}: no values.`;
    const [least, greatest] = known.reduce(([low, high], each) => [Math.min(low, each), Math.max(high, each)], [Infinity, -Infinity]);
    return `${label}: ${known.length} values from ${short(least)} to ${short(greatest)}, the last ${short(known.at(-1))}.`;
  });
  return `${x.length} points. ${parts.join(' ')}`;
}
