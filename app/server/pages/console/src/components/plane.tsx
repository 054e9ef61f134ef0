import { Figure } from './figure';
import { exact, short } from './numbers';
import { variable, type Series } from './plot';

export interface Curve {
  label: string;
  points: ReadonlyArray<[number | null, number | null]>;
  color: Series['color'];
  kind: 'line' | 'dashed' | 'points';
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, EDGE] = [520, 420, 62, 44, 14];

/** Curves in a plane whose axes have the same scale, such as a Nyquist plot. */
export function Plane({ title, xLabel, yLabel, curves }: { title: string; xLabel: string; yLabel: string; curves: readonly Curve[] }) {
  const shown = { title, xLabel, yLabel, curves };
  return (
    <Figure title={title} plot={() => <Drawing {...shown} />} table={() => <Points {...shown} />}>
      <ul class="legend">
        {curves.map(({ label, color, kind }) => (
          <li key={label}>
            <i class={`key ${kind}`} style={{ color: `var(${variable(color)})` }} />
            {label}
          </li>
        ))}
      </ul>
    </Figure>
  );
}

type Shown = { title: string; xLabel: string; yLabel: string; curves: readonly Curve[] };

function known({ points }: Curve): Array<[number, number]> {
  return points.filter((each): each is [number, number] => each[0] !== null && each[1] !== null);
}

function Drawing({ title, xLabel, yLabel, curves }: Shown) {
  const all = curves.flatMap(known);
  if (all.length === 0) return <p class="dim">No values.</p>;
  const [left, right] = range(all.map(([x]) => x));
  const [low, high] = range(all.map(([, y]) => y));
  const [wide, tall] = [WIDTH - LEFT - EDGE, HEIGHT - BOTTOM - EDGE];
  const unit = Math.min(wide / (right - left), tall / (high - low));
  const [midX, midY] = [(left + right) / 2, (low + high) / 2];
  const x = (value: number) => LEFT + wide / 2 + (value - midX) * unit;
  const y = (value: number) => EDGE + tall / 2 - (value - midY) * unit;
  const [spanX, spanY] = [wide / unit / 2, tall / unit / 2];
  return (
    <svg class="plane" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}: ${yLabel} over ${xLabel}, with equal axes. A table of the same data can be shown.`}>
      {ticks(midX - spanX, midX + spanX).map(each => (
        <g key={`x${each}`}>
          <line class="grid" x1={x(each)} x2={x(each)} y1={EDGE} y2={HEIGHT - BOTTOM} />
          <text x={x(each)} y={HEIGHT - BOTTOM + 16} text-anchor="middle">
            {short(each, 4)}
          </text>
        </g>
      ))}
      {ticks(midY - spanY, midY + spanY).map(each => (
        <g key={`y${each}`}>
          <line class="grid" x1={LEFT} x2={WIDTH - EDGE} y1={y(each)} y2={y(each)} />
          <text x={LEFT - 8} y={y(each) + 4} text-anchor="end">
            {short(each, 4)}
          </text>
        </g>
      ))}
      <text x={LEFT + wide / 2} y={HEIGHT - 8} text-anchor="middle">
        {xLabel}
      </text>
      <text transform={`translate(14 ${EDGE + tall / 2}) rotate(-90)`} text-anchor="middle">
        {yLabel}
      </text>
      {curves.map(curve => {
        const color = `var(${variable(curve.color)})`;
        if (curve.kind !== 'points') {
          const path = known(curve).map(([re, im]) => `${x(re).toFixed(1)},${y(im).toFixed(1)}`);
          return <polyline key={curve.label} points={path.join(' ')} fill="none" stroke={color} stroke-width="1.75" stroke-dasharray={curve.kind === 'dashed' ? '6 5' : undefined} />;
        }
        return (
          <g key={curve.label} fill={color}>
            {known(curve).map(([re, im], i) => (
              <circle key={i} cx={x(re)} cy={y(im)} r="2.6" />
            ))}
          </g>
        );
      })}
    </svg>
  );
}

function range(values: readonly number[]): [number, number] {
  const [least, greatest] = values.reduce(([low, high], each) => [Math.min(low, each), Math.max(high, each)], [Infinity, -Infinity]);
  const margin = (greatest - least) * 0.06 || Math.abs(greatest) * 0.05 || 1;
  return [least - margin, greatest + margin];
}

function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find(each => each * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function Points({ title, xLabel, yLabel, curves }: Shown) {
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Curve</th>
            <th scope="col" class="number">
              {xLabel}
            </th>
            <th scope="col" class="number">
              {yLabel}
            </th>
          </tr>
        </thead>
        <tbody>
          {curves.flatMap(curve =>
            known(curve).map(([re, im], i) => (
              <tr key={`${curve.label} ${i}`}>
                <td>{curve.label}</td>
                <td class="number">{exact(re)}</td>
                <td class="number">{exact(im)}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}
