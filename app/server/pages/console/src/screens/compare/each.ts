import type { AnyVariables, CombinedError, TypedDocumentNode } from '@urql/core';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { client } from '../../api/client';
import { epoch } from '../../api/connection';
import { useStore } from '../../api/store';

export interface Answer<D> {
  data?: D | undefined;
  error?: CombinedError | undefined;
}

/** The answers of one query for each of some ids, in their order. */
export function useEach<D, V extends AnyVariables & { id: string }>(
  document: TypedDocumentNode<D, V>,
  ids: readonly string[],
  others: Omit<V, 'id'>,
  pause = false,
): { answers: ReadonlyArray<Answer<D>>; refetch: () => void } {
  const by = useStore(client);
  const since = useStore(epoch);
  const [again, setAgain] = useState(0);
  const asked = JSON.stringify([ids, others]);
  const [state, set] = useState<{ asked: string; found: Record<string, Answer<D>> }>({ asked, found: {} });
  useEffect(() => {
    if (pause) return;
    const requestPolicy = again > 0 ? 'network-only' : 'cache-and-network';
    const stops = ids.map(id => {
      const source = by.query(document, { ...others, id } as unknown as V, { requestPolicy });
      return source.subscribe(({ data, error }) =>
        set(old => ({ asked, found: { ...(old.asked === asked ? old.found : {}), [id]: { data: data ?? old.found[id]?.data, error } } })),
      ).unsubscribe;
    });
    return () => stops.forEach(stop => stop());
  }, [by, since, document, asked, pause, again]);
  const answers = ids.map(id => state.found[id] ?? {});
  return { answers, refetch: useCallback(() => setAgain(count => count + 1), []) };
}
