/**
 * Strict JSON as text with places. Configurations are edited, checked and sent as texts, so that the order of keys and
 * each digit stay as they are: `JSON.parse` drops duplicate keys, rounds long numbers and moves keys such as "10".
 */

export interface Place {
  from: number;
  to: number;
}
export interface Fault extends Place {
  message: string;
}
export interface Member {
  key: string;
  keyAt: Place;
  value: Node;
}
export interface Node extends Place {
  type: 'object' | 'array' | 'string' | 'number' | 'literal';
  members?: Member[];
  /** Null for a list of scalars, which can be long: its items are found again when one is asked for. */
  items?: Node[] | null;
}
export interface Parsed {
  root: Node | null;
  faults: Fault[];
}

/** More than a server takes, whose message names its own limit. */
const MAX_DEPTH = 240;
const MAX_FAULTS = 100;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;
const WORD = /[A-Za-z_$][\w$]*/y;

class Stop extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

class Parser {
  at = 0;
  readonly faults: Fault[] = [];
  constructor(readonly text: string) {}

  whole(): Parsed {
    try {
      const root = this.value(1);
      this.space();
      if (this.at < this.text.length) this.stop('One JSON value ends here; nothing may follow it.');
      return { root, faults: this.faults };
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return { root: null, faults: [...this.faults, error.fault] };
    }
  }

  value(depth: number): Node {
    this.space();
    if (depth > MAX_DEPTH) this.stop(`JSON nests deeper than ${MAX_DEPTH} levels.`);
    const first = this.text[this.at];
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    return this.scalar();
  }

  private object(depth: number): Node {
    const from = this.at++;
    const members: Member[] = [];
    const seen = new Set<string>();
    this.space();
    if (this.text[this.at] === '}') return { type: 'object', from, to: ++this.at, members };
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.stop('A name in double quotes is expected here.');
      const keyAt = this.string();
      const key = JSON.parse(this.text.slice(keyAt.from, keyAt.to)) as string;
      if (seen.has(key)) this.note({ ...keyAt, message: `${JSON.stringify(key)} is given twice in one object.` });
      seen.add(key);
      this.space();
      if (this.text[this.at] !== ':') this.stop('":" is expected after a name.');
      this.at++;
      members.push({ key, keyAt, value: this.value(depth + 1) });
      if (this.ends('}')) return { type: 'object', from, to: this.at, members };
    }
  }

  private array(depth: number): Node {
    const from = this.at++;
    let items: Node[] | null = null;
    this.space();
    if (this.text[this.at] === ']') return { type: 'array', from, to: ++this.at, items: [] };
    const scalars: Node[] = [];
    for (let count = 0; ; count++) {
      const item = this.value(depth + 1);
      if (item.type === 'object' || item.type === 'array') items ??= count === scalars.length ? [...scalars] : this.again(from, count);
      if (items) items.push(item);
      else if (count < 100) scalars.push(item);
      if (this.ends(']')) return { type: 'array', from, to: this.at, items: items ?? (count < 100 ? scalars : null) };
    }
  }

  /** Read the first items of a list again, whose nodes were not kept. */
  private again(from: number, count: number): Node[] {
    return listed(this.text, from, count);
  }

  private scalar(): Node {
    const from = this.at;
    const first = this.text[from];
    if (first === '"') return { type: 'string', ...this.string() };
    if (this.match(NUMBER)) {
      if (/[\w.+]/.test(this.text[this.at] ?? '')) this.stop('This is no number of JSON.', from);
      return { type: 'number', from, to: this.at };
    }
    if (this.match(LITERAL)) return { type: 'literal', from, to: this.at };
    if (first === undefined) return this.stop('The text ends where a value is expected.');
    if (this.match(WORD)) {
      const word = this.text.slice(from, this.at);
      return this.stop(`${word} is no value of JSON: use a number, a text in double quotes, true, false or null.`, from);
    }
    return this.stop(first === "'" ? 'JSON takes texts in double quotes.' : 'A value is expected here.');
  }

  private string(): Place {
    const from = this.at;
    if (!this.match(STRING)) {
      const end = /["\n\r]|$/m.exec(this.text.slice(from + 1));
      this.stop('This text is not closed, or has a character that needs a backslash.', from, from + 1 + (end?.index ?? 0));
    }
    return { from, to: this.at };
  }

  private ends(close: string): boolean {
    this.space();
    const sign = this.text[this.at];
    if (sign === close) {
      this.at++;
      return true;
    }
    if (sign !== ',') this.stop(sign === undefined ? `The text ends before "${close}".` : `"," or "${close}" is expected here.`);
    const comma = this.at++;
    this.space();
    if (this.text[this.at] === close) this.stop('No comma may stand before the end.', comma);
    return false;
  }

  space(): void {
    this.match(SPACE);
  }

  private match(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  private note(fault: Fault): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(fault);
  }

  private stop(message: string, from = this.at, to = Math.max(from + 1, this.at)): never {
    const end = this.text.length;
    throw new Stop({ from: Math.min(from, end), to: Math.min(to, end), message });
  }
}

export const parse = (text: string): Parsed => new Parser(text).whole();

/** Read the first items of the list that starts at a place of a valid text. */
function listed(text: string, from: number, count: number): Node[] {
  const parser = new Parser(text);
  parser.at = from + 1;
  const items: Node[] = [];
  while (items.length < count) {
    items.push(parser.value(1));
    parser.space();
    if (text[parser.at] !== ',') break;
    parser.at++;
  }
  return items;
}

/** Return the place of a path; of the deepest part of it that exists, if the rest is missing. Keys mark objects. */
export function locate(text: string, root: Node, path: readonly string[]): Place {
  let node = root;
  let mark: Place = { from: root.from, to: Math.min(root.from + 1, root.to) };
  for (const step of path) {
    const member = node.members?.find(each => each.key === step);
    const index = /^\d+$/.test(step) ? Number(step) : -1;
    const item = node.type === 'array' && index >= 0 ? (node.items ?? listed(text, node.from, index + 1))[index] : undefined;
    const found = member?.value ?? item;
    if (!found) return mark;
    node = found;
    mark =
      member && (found.type === 'object' || found.type === 'array')
        ? member.keyAt
        : found.type === 'array' || found.type === 'object'
          ? { from: found.from, to: found.from + 1 }
          : found;
  }
  return { from: mark.from, to: mark.to };
}

export const member = (node: Node | null | undefined, ...path: string[]): Node | undefined =>
  path.reduce<Node | undefined>((at, key) => at?.members?.find(each => each.key === key)?.value, node ?? undefined);

export const textOf = (text: string, node: Place): string => text.slice(node.from, node.to);

/** Return the value of a text node, or undefined for another node. */
export const stringOf = (text: string, node: Node | undefined): string | undefined =>
  node?.type === 'string' ? (JSON.parse(textOf(text, node)) as string) : undefined;

/** Lay out a valid text with two spaces a level and lists of scalars in lines of at most `width`; digits and order stay. */
export function pretty(text: string, node: Node | null = parse(text).root, width = 100): string {
  if (!node) return text;
  const parts: string[] = [];
  write(node, '');
  return parts.join('');

  function write(at: Node, indent: string): void {
    const inner = indent + '  ';
    if (at.type === 'object' && at.members!.length) {
      at.members!.forEach((each, index) => {
        parts.push(index ? ',\n' : '{\n', inner, textOf(text, each.keyAt), ': ');
        write(each.value, inner);
      });
      parts.push('\n', indent, '}');
    } else if (at.type === 'array' && at.items?.some(item => item.members?.length || item.items !== undefined)) {
      at.items.forEach((item, index) => {
        parts.push(index ? ',\n' : '[\n', inner);
        write(item, inner);
      });
      parts.push('\n', indent, ']');
    } else if (at.type === 'array' && (at.items === null || at.items!.length)) {
      scalars(at, indent);
    } else {
      parts.push(at.type === 'object' ? '{}' : at.type === 'array' ? '[]' : textOf(text, at));
    }
  }

  function scalars(at: Node, indent: string): void {
    const items = (at.items ?? listed(text, at.from, Infinity)).map(item => (item.members ? '{}' : textOf(text, item)));
    const lines: string[] = [];
    let line = '';
    for (const item of items) {
      if (line && line.length + item.length + 2 > width - indent.length) {
        lines.push(line);
        line = '';
      }
      line += line ? `, ${item}` : item;
    }
    lines.push(line);
    parts.push(lines.length === 1 ? `[${line}]` : `[\n${lines.map(each => `${indent}  ${each}`).join(',\n')}\n${indent}]`);
  }
}
