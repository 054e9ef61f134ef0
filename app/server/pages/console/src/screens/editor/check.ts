import { client } from '../../api/client';
import { explained } from '../../api/hooks';
import { ConsoleCheckDocument } from '../../generated/operations';
import type { Draft } from './draft';
import { fromField, type Found } from './problems';
import { inputOf, RawTexts } from './requests';

/** Have the server check a draft. `isKnown` is false if it could not. */
export async function check(draft: Draft): Promise<{ found: Found[]; isKnown: boolean }> {
  const texts = new RawTexts();
  const input = { projectId: draft.projectId, ...inputOf(draft, texts) };
  const options = { requestPolicy: 'network-only' as const, fetch: texts.fetch };
  const { data, error } = await client.value.query(ConsoleCheckDocument, { input }, options).toPromise();
  if (!data) return { found: error ? [{ message: explained(error), path: null }] : [], isKnown: false };
  const { problems, userErrors } = data.checkPipeline;
  const errors = userErrors.map(({ message, field }) => fromField(draft, message, field));
  const others = problems.map(({ element, path, message }): Found => {
    const key = draft.elements.find(({ name }) => name === element)?.key;
    return { message, path, ...(key !== undefined && { element: key }) };
  });
  return { found: [...errors, ...others], isKnown: true };
}
