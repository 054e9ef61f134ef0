import { isExact, textOf } from '../../api/exact';

/** A place where configurations differ: its value in each run as JSON; undefined where a run has none. */
export interface Change {
  path: string;
  values: Array<string | undefined>;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const SHORT = 8;
const LONGEST = 160;
const MOST = 1_000;

/** The places where values differ, by JSON path. Long lists of scalars count as one place. */
export function changes(values: ReadonlyArray<Json | undefined>, path = '$'): Change[] {
  const found: Change[] = [];
  walk(values, path, found);
  return found;
}

function walk(values: ReadonlyArray<Json | undefined>, path: string, found: Change[]): void {
  if (found.length >= MOST) return;
  const known = values.filter(each => each !== undefined);
  if (known.length === values.length && known.every(isObject)) {
    for (const key of new Set(known.flatMap(each => Object.keys(each)))) {
      walk(
        known.map(each => (Object.hasOwn(each, key) ? each[key] : undefined)),
        `${path}${step(key)}`,
        found,
      );
    }
  } else if (known.length === values.length && known.every(isWalked)) {
    const longest = Math.max(...known.map(each => each.length));
    for (let index = 0; index < longest; index++) {
      walk(
        known.map(each => each[index]),
        `${path}[${index}]`,
        found,
      );
    }
  } else {
    const texts = values.map(each => (each === undefined ? undefined : textOf(each)));
    if (texts.some(each => each !== texts[0])) found.push({ path, values: values.map((each, index) => shown(each, texts[index])) });
  }
}

const isObject = (value: Json): value is { [key: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value) && !isExact(value);

const isWalked = (value: Json): value is Json[] =>
  Array.isArray(value) && (value.length <= SHORT || value.some(each => typeof each === 'object' && each !== null));

const step = (key: string) => (/^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);

/** A value as JSON: its beginning, if it is long. */
function shown(value: Json | undefined, text: string | undefined): string | undefined {
  if (value === undefined || text === undefined || text.length <= LONGEST) return text;
  const size = Array.isArray(value) ? `${value.length} values` : `${text.length} characters`;
  return `${text.slice(0, LONGEST)}… (${size})`;
}
