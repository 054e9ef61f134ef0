import type { Draft, Fault } from './draft';
import { locate, parse } from './json';

/** A problem that the server found. Its place is found anew in each text, by its path. */
export interface Found {
  message: string;
  /** Key of the element, if it is of one. */
  element?: number;
  /** Path in the configuration of the element; null for its name. */
  path: readonly string[] | null;
  field?: string;
}

/** Leave out what the server found in elements whose texts are no JSON now: it is checked again when they are. */
export function stillTrue(found: readonly Found[], local: readonly Fault[]): Found[] {
  const broken = new Set(local.filter(({ place }) => place !== undefined).map(({ element }) => element));
  return found.filter(({ element }) => element === undefined || !broken.has(element));
}

/** Find the places of the server's problems in the texts as they are now. */
export function placed(draft: Draft, found: readonly Found[]): Fault[] {
  const roots = new Map(draft.elements.map(({ key, text }) => [key, { text, root: parse(text).root }]));
  return found.flatMap(({ message, element, path, field }) => {
    if (element === undefined) return [{ message, ...(field !== undefined && { field }) }];
    const at = roots.get(element);
    if (at === undefined) return []; // the element was removed
    if (path === null || at.root === null) return [{ message, element }];
    return [{ message, element, place: locate(at.text, at.root, path) }];
  });
}

/** A user error, whose `field` is a path such as `input, elements, 1, jobConfig, parameters`. */
export function fromField(draft: Draft, message: string, field: readonly string[] | null | undefined): Found {
  const path = field?.[0] === 'input' ? field.slice(1) : (field ?? []);
  const element = path[0] === 'elements' ? draft.elements[Number(path[1])] : undefined;
  if (element === undefined) return { message, path: null, ...(path[0] !== undefined && { field: path[0] }) };
  return { message, element: element.key, path: path[2] === 'jobConfig' ? path.slice(3) : null };
}
