/**
 * Integers that a double cannot hold. `JSON.parse` rounds them; here they become values that `JSON.stringify` prints with
 * all of their digits. Configurations and results may hold them; columns of plots are doubles.
 */
export interface Exact {
  readonly rawJSON: string;
}

interface RawJson {
  /** A value that JSON.stringify prints as the text. Undefined in browsers that lack it. */
  rawJSON?: (text: string) => Exact;
  isRawJSON?: (value: unknown) => value is Exact;
}

const { rawJSON, isRawJSON } = JSON as RawJson;
const SUSPECT = /[:,[\s]-?\d{16,}\s*[,\]}]/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
const MARK = `exact ${crypto.getRandomValues(new Uint32Array(4)).join('-')} `;
let isMarked = false;

/** Whether a value is an integer that a double cannot hold. */
export const isExact = (value: unknown): value is Exact => isRawJSON?.(value) ?? false;

/** `fetch` with texts in place of the long integers of a JSON answer, for a client that calls JSON.parse itself. */
export const fetchExact: typeof fetch = async (url, init) => {
  const response = await fetch(url, init);
  if (rawJSON === undefined || !response.headers.get('content-type')?.includes('json')) return response;
  return new Response(marked(await response.text()), response);
};

function marked(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text.replace(TOKEN, token => {
    if (!/^-?\d{16,}$/.test(token) || BigInt(token) === BigInt(Number(token))) return token;
    isMarked = true;
    return JSON.stringify(MARK + token);
  });
}

/** Put the integers back in place of their texts. */
export function withExact<T>(data: T): T {
  return isMarked ? (restored(data) as T) : data;
}

function restored(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? rawJSON!(value.slice(MARK.length)) : value;
  if (typeof value !== 'object' || value === null || isExact(value)) return value;
  if (Array.isArray(value)) return value.map(restored);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, restored(each)]));
}

/** JSON of a value, in which each number is the one that was read. */
export const textOf = (value: unknown, indent?: number): string =>
  JSON.stringify(value, (_key, each: unknown) => (Object.is(each, -0) ? (rawJSON?.('-0.0') ?? each) : each), indent);
