// What Prettier loads in the place of its JavaScript parser and printer, which GraphiQL uses to format the variables
// and headers only. They weigh 140 kB compressed; jsonc-parser is in the page anyway.
import { applyEdits, format } from 'jsonc-parser';

const parse = text => ({ text: applyEdits(text, format(text, undefined, { tabSize: 2, insertSpaces: true })) });

export const parsers = {
  jsonc: { parse, astFormat: 'formatted', locStart: () => 0, locEnd: ({ text }) => text.length },
};
export const printers = { formatted: { print: path => path.node.text } };
