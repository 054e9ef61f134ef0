import type { AnyVariables, OperationResult, TypedDocumentNode } from '@urql/core';
import { client } from '../../api/client';
import type { Draft } from './draft';
import { parse, textOf, type Node } from './json';

/**
 * Send variables in which some values are texts of JSON, which go out as they are. The client sorts the keys of all
 * objects in variables, and JavaScript rounds long numbers; a configuration must keep both.
 */
export class RawTexts {
  private readonly mark = `text-${crypto.getRandomValues(new Uint32Array(4)).join('-')}-`;
  private readonly texts: string[] = [];

  /** A stand-in for a text of JSON, for variables. */
  add(text: string): string {
    this.texts.push(text);
    return `${this.mark}${this.texts.length - 1}`;
  }

  /** `fetch` with the texts in place of their stand-ins. */
  readonly fetch: typeof fetch = (url, init) => {
    const pattern = new RegExp(`"${this.mark}(\\d+)"`, 'g');
    const body = String(init?.body).replace(pattern, (_, index: string) => this.texts[Number(index)] ?? '');
    return fetch(url, { ...init, body });
  };
}

/** Input of createPipeline, or of updatePipeline, which takes no project. */
export function inputOf(draft: Draft, texts: RawTexts) {
  return {
    name: draft.name.trim() || null,
    description: draft.description.trim() || null,
    labels: draft.labels,
    options: { liveProgressUpdates: draft.liveProgressUpdates },
    elements: draft.elements.map(({ name, type, text }) => ({ name, elementType: type, jobConfig: texts.add(text) })),
  };
}

/** Run a mutation whose variables hold texts. */
export function mutate<D, V extends AnyVariables>(
  document: TypedDocumentNode<D, V>,
  variables: V,
  texts: RawTexts,
): Promise<OperationResult<D, V>> {
  return client.value.mutation(document, variables, { fetch: texts.fetch }).toPromise();
}

/** Run a query, and return the text of its answer too, whose numbers have all digits. */
export async function read<D, V extends AnyVariables>(document: TypedDocumentNode<D, V>, variables: V) {
  let text = '';
  const reading: typeof fetch = async (url, init) => {
    const response = await fetch(url, init);
    text = await response.text();
    return new Response(text, response);
  };
  const result = await client.value.query(document, variables, { requestPolicy: 'network-only', fetch: reading }).toPromise();
  return { result, text };
}

/** The texts of the configurations in an answer, in the order of the elements. */
export function configurationsIn(text: string): string[] {
  const { root } = parse(text);
  const elements = step(step(step(root, 'data'), 'pipeline'), 'elements');
  return (elements?.items ?? []).map(item => {
    const config = step(item, 'jobConfig');
    return config ? textOf(text, config) : '{}';
  });
}

const step = (node: Node | null | undefined, key: string) => node?.members?.find(member => member.key === key)?.value;
