/** A value with its standard error, if it has one. */
export interface Estimate {
  value: number;
  standardError: number | null;
}

export interface Difference {
  absolute: number;
  /** In relation to the first value; null if that is zero. */
  relative: number | null;
  /** In standard errors of the difference; null unless both values have one. */
  inErrors: number | null;
}

/** The difference of a value to the first one. */
export function difference(first: Estimate, other: Estimate): Difference {
  const absolute = other.value - first.value;
  const hasErrors = first.standardError !== null && other.standardError !== null;
  const spread = hasErrors ? Math.hypot(first.standardError!, other.standardError!) : 0;
  return {
    absolute,
    relative: first.value === 0 ? null : absolute / Math.abs(first.value),
    inErrors: spread > 0 ? absolute / spread : null,
  };
}

export interface Curve {
  x: ReadonlyArray<number | null>;
  y: ReadonlyArray<number | null>;
}

/** Curves over one axis: all of their places in ascending order, and null where a curve has none. */
export function aligned(curves: readonly Curve[]): { x: number[]; ys: Array<Array<number | null>> } {
  const x = [...new Set(curves.flatMap(curve => curve.x.filter(each => each !== null)))].sort((a, b) => a - b);
  const places = new Map(x.map((value, index) => [value, index]));
  const ys = curves.map(curve => {
    const row = new Array<number | null>(x.length).fill(null);
    curve.x.forEach((value, index) => {
      if (value !== null) row[places.get(value)!] = curve.y[index] ?? null;
    });
    return row;
  });
  return { x, ys };
}

/** Values less others, null where one of both is. */
export const less = (values: ReadonlyArray<number | null>, others: ReadonlyArray<number | null>): Array<number | null> =>
  values.map((value, index) => (value === null || (others[index] ?? null) === null ? null : value - others[index]!));
