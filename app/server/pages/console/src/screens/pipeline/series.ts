/** Columns of equal length, as the server sends a series. */
export type Columns = Record<string, Array<number | null>>;

const DATA = ' (data)';

/** The axis of a series, and the variables of which it has data and a model. */
export function variables(columns: Columns): { axis: string; names: string[] } {
  const [axis = '', ...others] = Object.keys(columns);
  return { axis, names: others.filter(name => name.endsWith(DATA)).map(name => name.slice(0, -DATA.length)) };
}

/** Series over one ascending axis: all of their rows, with null where one of them has none. */
export function merged(axis: string, all: readonly Columns[]): [number[], Columns[]] {
  const x = [...new Set(all.flatMap(columns => (columns[axis] ?? []).filter(each => each !== null)))].sort((a, b) => a - b);
  const place = new Map(x.map((value, i) => [value, i]));
  const spread = all.map(columns => {
    const rows = (columns[axis] ?? []).map(each => (each === null ? undefined : place.get(each)));
    return Object.fromEntries(
      Object.entries(columns).map(([name, values]) => {
        const column = new Array<number | null>(x.length).fill(null);
        for (const [i, value] of values.entries()) {
          const row = rows[i];
          if (row !== undefined) column[row] = value;
        }
        return [name, column];
      }),
    );
  });
  return [x, spread];
}
