import { isExact, type Exact } from '../api/exact';

/** A number with all of its digits: those of a long integer, or the shortest text that gives the same double again. */
export function exact(value: number | Exact | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return isExact(value) ? minus(value.rawJSON) : written(value);
}

/** A number with at most `digits` significant digits, without zeros at the end. */
export function short(value: number | Exact | null | undefined, digits = 6): string {
  if (value === null || value === undefined) return '–';
  if (isExact(value)) return exact(value);
  return Number.isFinite(value) ? written(Number(value.toPrecision(digits))) : String(value);
}

/** A number with an exponent if it is small or large, which is easier to read than its zeros. */
function written(value: number): string {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e7) ? value.toExponential() : String(value);
  return text.replace('e+', 'e').replaceAll('-', '−');
}

/** A value to the place of the second digit of its standard error: `2.9997 ± 0.0004` has 2.99971 ± 0.00041. */
export function withError(value: number, error: number | null | undefined): string {
  if (error === null || error === undefined || !Number.isFinite(error) || error <= 0) return short(value, 7);
  const place = Math.floor(Math.log10(error)) - 1;
  const scale = Math.floor(Math.log10(Math.abs(value) || error));
  if (scale - place > 15) return `${exact(value)} ± ${short(error, 2)}`;
  if (scale < -4 || scale > 6) {
    const digits = Math.max(scale - place, 0);
    const unit = 10 ** scale;
    return `(${minus((value / unit).toFixed(digits))} ± ${(error / unit).toFixed(digits)})e${minus(String(scale))}`;
  }
  const digits = Math.max(-place, 0);
  return `${minus(value.toFixed(digits))} ± ${error.toFixed(digits)}`;
}

function minus(text: string): string {
  return text.replace('-', '−');
}

/** A count with separated thousands. */
export function count(value: number | Exact): string {
  return (isExact(value) ? BigInt(value.rawJSON) : value).toLocaleString('en').replaceAll(',', ' ');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A number of bytes for people. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const step = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), UNITS.length - 1);
  return `${short(value / 1000 ** step, 3)} ${UNITS[step]}`;
}
