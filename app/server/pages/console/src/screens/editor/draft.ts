import { member, parse, pretty, stringOf, textOf, type Node, type Place } from './json';

export type ElementType = 'DIRECT_ENTRY' | 'DATA_FIT' | 'CALCULATION' | 'VALIDATION';

export const TYPES: Record<ElementType, { word: string; label: string }> = {
  DIRECT_ENTRY: { word: 'entry', label: 'Direct entry' },
  DATA_FIT: { word: 'data_fit', label: 'Data fit' },
  CALCULATION: { word: 'calculation', label: 'Calculation' },
  VALIDATION: { word: 'validation', label: 'Validation' },
};

/** Words of files for element types, without case, spaces and underscores. */
const WORDS: Record<string, ElementType> = {
  entry: 'DIRECT_ENTRY',
  directentry: 'DIRECT_ENTRY',
  datafit: 'DATA_FIT',
  arraydatafit: 'DATA_FIT',
  linearconfidenceinterval: 'DATA_FIT',
  sobolsensitivity: 'DATA_FIT',
  calculation: 'CALCULATION',
  validation: 'VALIDATION',
};

/** An element as it is edited. Its configuration is a text, so that its digits and the order of its keys are kept. */
export interface DraftElement {
  /** Identity while it is edited, whatever its name and position become. */
  key: number;
  name: string;
  type: ElementType;
  text: string;
}

export interface Draft {
  projectId: string;
  name: string;
  description: string;
  labels: string[];
  /** Null leaves the choice to the worker. */
  liveProgressUpdates: boolean | null;
  elements: DraftElement[];
}

/** A problem of a draft: of an element's name or of a place in its configuration, or of the whole. */
export interface Fault {
  message: string;
  /** Key of the element, if it is of one. */
  element?: number;
  /** Place in the configuration; without one it is of the element's name or the draft's fields. */
  place?: Place;
  /** Name of the draft's field at fault. */
  field?: string;
}

let keys = 0;
export const newKey = (): number => ++keys;

export const emptyDraft = (projectId: string): Draft => ({
  projectId,
  name: '',
  description: '',
  labels: [],
  liveProgressUpdates: null,
  elements: [],
});

export function elementType(word: string | undefined): ElementType | undefined {
  return word === undefined ? undefined : WORDS[word.toLowerCase().replace(/[ _]/g, '')];
}

/** The type that a configuration names, if it names one. */
export function typeInText(text: string): { type: ElementType | undefined; at: Place } | undefined {
  const node = member(parse(text).root, 'element_type');
  return node && { type: elementType(stringOf(text, node)), at: node };
}

/** Change the type of an element. The word in its configuration, if there is one, follows. */
export function withType(element: DraftElement, type: ElementType): DraftElement {
  const named = typeInText(element.text);
  if (named === undefined) return { ...element, type };
  const text = element.text.slice(0, named.at.from) + JSON.stringify(TYPES[type].word) + element.text.slice(named.at.to);
  return { ...element, type, text };
}

/** Move the element at an index by some places. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, index) => index !== from);
  const target = Math.max(0, Math.min(to, rest.length));
  return [...rest.slice(0, target), list[from]!, ...rest.slice(target)];
}

/** A name that no element has: the wanted one, or with a number behind. */
export function freeName(wanted: string, elements: readonly DraftElement[]): string {
  const taken = new Set(elements.map(({ name }) => name));
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}${count}`;
    if (!taken.has(name)) return name;
  }
}

/**
 * Read a file as `voltgraph run` takes it: a body of POST /pipelines, whose elements are an object by name, or the input
 * of createPipeline, whose elements are a list. Throws an Error that says what is wrong and where.
 */
export function imported(text: string, fileName: string, projectId: string): Draft {
  const { root, faults } = parse(text);
  const fault = faults[0];
  if (fault) throw new Error(`${fileName} is not JSON. ${lineOf(text, fault.from)}: ${fault.message}`);
  if (root?.type !== 'object') throw new Error(`${fileName} must hold one JSON object.`);
  const word = (...path: string[]) => stringOf(text, member(root, ...path));
  const elements = member(root, 'elements') ?? member(root, 'elementsByName');
  if (elements === undefined) throw new Error(`${fileName} has no "elements".`);
  const live = member(root, 'options', 'live_progress_updates') ?? member(root, 'options', 'liveProgressUpdates');
  const labels = member(root, 'labels')?.items?.map(item => stringOf(text, item)) ?? [];
  return {
    projectId: word('projectId') || word('project_id') || projectId,
    name: word('name') || fileName.replace(/\.json$/i, ''),
    description: word('description') ?? '',
    labels: labels.filter(label => label !== undefined),
    liveProgressUpdates: live?.type === 'literal' && textOf(text, live) !== 'null' ? textOf(text, live) === 'true' : null,
    elements: elementsIn(text, elements, fileName),
  };
}

function elementsIn(text: string, elements: Node, fileName: string): DraftElement[] {
  if (elements.type === 'object') {
    return elements.members!.map(({ key, value }) => element(text, key, undefined, value, `${fileName}: element ${JSON.stringify(key)}`));
  }
  if (elements.type !== 'array') throw new Error(`${fileName}: "elements" must be an object by name, or a list.`);
  return (elements.items ?? []).map((item, index) => {
    const config = member(item, 'jobConfig');
    const name = stringOf(text, member(item, 'name'));
    const place = `${fileName}: element ${index + 1}`;
    if (config === undefined || name === undefined) throw new Error(`${place} lacks "name" or "jobConfig".`);
    return element(text, name, stringOf(text, member(item, 'elementType')), config, place);
  });
}

function element(text: string, name: string, word: string | undefined, config: Node, place: string): DraftElement {
  if (config.type !== 'object') throw new Error(`${place}: a configuration must be an object.`);
  const type = elementType(word ?? stringOf(text, member(config, 'element_type')));
  if (type === undefined) throw new Error(`${place}: its type is missing or unknown.`);
  return { key: newKey(), name, type, text: pretty(text, config) };
}

function lineOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  return `Line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

/** All faults that need no server: configurations that are no JSON objects, and names that are empty or taken. */
export function faultsOf(draft: Draft): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const { key, name, text } of draft.elements) {
    if (name.trim() === '') faults.push({ element: key, message: 'An element needs a name.' });
    else if (seen.has(name)) faults.push({ element: key, message: `Two elements are named "${name}".` });
    seen.add(name);
    faults.push(...faultsOfText(text).map(({ from, to, message }) => ({ element: key, place: { from, to }, message })));
  }
  if (draft.projectId.trim() === '') faults.push({ field: 'projectId', message: 'A pipeline needs a project.' });
  if (draft.elements.length === 0) faults.push({ field: 'elements', message: 'A pipeline needs an element.' });
  return faults;
}

function faultsOfText(text: string) {
  const { root, faults } = parse(text);
  if (root === null || root.type === 'object') return faults;
  return [...faults, { from: root.from, to: root.to, message: 'A configuration must be an object: { … }.' }];
}

/** The draft as a text that differs exactly if its content does. */
export const written = (draft: Draft): string =>
  JSON.stringify({ ...draft, elements: draft.elements.map(({ name, type, text }) => [name, type, text]) });

/** The draft as a file that `voltgraph run` and `POST /pipelines` take. */
export function exported(draft: Draft): string {
  const elements = draft.elements.map(({ name, type, text }) => {
    const has = typeInText(text) !== undefined;
    const body = text.trim().slice(1);
    const word = `"element_type": ${JSON.stringify(TYPES[type].word)}`;
    return `${JSON.stringify(name)}: ${has ? text : `{${word}${/^\s*\}/.test(body) ? '' : ','}${body}`}`;
  });
  const { projectId, name, description, labels } = draft;
  const about = [
    `"project_id": ${JSON.stringify(projectId)}`,
    ...(name ? [`"name": ${JSON.stringify(name)}`] : []),
    ...(description ? [`"description": ${JSON.stringify(description)}`] : []),
    ...(labels.length > 0 ? [`"labels": ${JSON.stringify(labels)}`] : []),
  ];
  return pretty(`{${about.join(',')},"elements":{${elements.join(',')}}}`) + '\n';
}
