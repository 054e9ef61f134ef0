import { useMemo } from 'preact/hooks';
import { Plot, type Series } from '../../components/plot';
import { Plane, type Curve } from '../../components/plane';
import { merged, type Columns } from './series';

const [AXIS, RE, IM] = ['Frequency [Hz]', 'Z_Re [Ohm]', 'Z_Im [Ohm]'];

/** Impedance: the Nyquist plot with equal axes, and the Bode plot. */
export function Impedance({ optimal, guess }: { optimal: Columns; guess: Columns | null }) {
  const curves = useMemo(() => nyquist(optimal, guess), [optimal, guess]);
  const bode = useMemo(() => bodeOf(optimal, guess), [optimal, guess]);
  return (
    <div class="cards">
      <Plane title="Nyquist" xLabel="Re Z [Ohm]" yLabel="−Im Z [Ohm]" curves={curves} />
      <div class="compared">
        <Plot title="Bode: modulus" xLabel={AXIS} yLabel="|Z| [Ohm]" x={bode.x} series={bode.modulus} isLogX isLog sync="bode" height={200} />
        <Plot title="Bode: phase" xLabel={AXIS} yLabel="phase [°]" x={bode.x} series={bode.phase} isLogX sync="bode" height={180} hasLegend={false} />
      </div>
    </div>
  );
}

function nyquist(optimal: Columns, guess: Columns | null): Curve[] {
  const points = (columns: Columns, kind: string) =>
    (columns[`${RE} (${kind})`] ?? []).map((re, i): [number | null, number | null] => {
      const im = columns[`${IM} (${kind})`]?.[i];
      return [re, im === null || im === undefined ? null : -im];
    });
  return [
    { label: 'data', points: points(optimal, 'data'), color: 'muted', kind: 'points' },
    ...(guess ? [{ label: 'model, first guess', points: points(guess, 'model'), color: 1, kind: 'dashed' } as Curve] : []),
    { label: 'model', points: points(optimal, 'model'), color: 0, kind: 'line' },
  ];
}

function bodeOf(optimal: Columns, guess: Columns | null): { x: number[]; modulus: Series[]; phase: Series[] } {
  const [x, [fitted = {}, first]] = merged(AXIS, guess ? [optimal, guess] : [optimal]);
  const pairs = (columns: Columns, kind: string) =>
    x.map((_, i) => [columns[`${RE} (${kind})`]?.[i] ?? null, columns[`${IM} (${kind})`]?.[i] ?? null] as const);
  const made = (of: (re: number, im: number) => number): Series[] => {
    const values = (columns: Columns, kind: string) => pairs(columns, kind).map(([re, im]) => (re === null || im === null ? null : of(re, im)));
    return [
      { label: 'data', values: values(fitted, 'data'), color: 'muted', kind: 'points' },
      ...(first ? [{ label: 'model, first guess', values: values(first, 'model'), color: 1, kind: 'dashed' } as Series] : []),
      { label: 'model', values: values(fitted, 'model'), color: 0 },
    ];
  };
  return { x, modulus: made(Math.hypot), phase: made((re, im) => (Math.atan2(im, re) * 180) / Math.PI) };
}
