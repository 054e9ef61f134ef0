/** Text that may hold a number which JavaScript would print otherwise: long, with an exponent, or ending in 0. */
const SUSPECT = /\d{16}|\d[eE]|\.\d*0(?!\d)|-0/;

/** The value of a JSON text, in which JSON.stringify prints every number as the text has it, where the browser can. */
export function parseExact(text) {
  if (!SUSPECT.test(text) || !JSON.rawJSON) return JSON.parse(text);
  return JSON.parse(text, (_key, value, context) =>
    typeof value === 'number' && context?.source !== String(value) ? JSON.rawJSON(context.source) : value,
  );
}
