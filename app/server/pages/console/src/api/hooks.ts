import type { AnyVariables, CombinedError, TypedDocumentNode } from '@urql/core';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { client, isLost, isUnauthenticated } from './client';
import { epoch, visible } from './connection';
import { fetchExact } from './exact';
import { useStore } from './store';

export interface Data<D> {
  /** What is known so far, also while newer data are on their way or cannot be had. */
  data: D | undefined;
  error: CombinedError | undefined;
  fetching: boolean;
  /** Read again from the server. */
  refetch: () => void;
}

/**
 * The data of a query: from the cache at once, then from the server, and again when the server comes back. Those that
 * many parts of the page share, and that hardly change, are read from the cache only once they are there. With `every`,
 * the data are read again that many milliseconds after each answer, while the tab is in front.
 */
export function useData<D, V extends AnyVariables>(
  document: TypedDocumentNode<D, V>,
  variables: V,
  { pause = false, isShared = false, every }: { pause?: boolean; isShared?: boolean; every?: number } = {},
): Data<D> {
  const by = useStore(client);
  const since = useStore(epoch);
  const isVisible = useStore(visible);
  const [again, setAgain] = useState(0);
  const [state, set] = useState<Omit<Data<D>, 'refetch'>>({ data: undefined, error: undefined, fetching: !pause });
  const asked = JSON.stringify(variables);
  const refetch = useCallback(() => setAgain(count => count + 1), []);
  useEffect(() => {
    if (pause) return;
    set(old => ({ ...old, fetching: true }));
    const policy = again > 0 ? 'network-only' : isShared ? 'cache-first' : 'cache-and-network';
    const { unsubscribe } = by.query(document, variables, { requestPolicy: policy }).subscribe(result =>
      set(old => ({
        data: result.data ?? old.data,
        error: result.error,
        fetching: result.stale,
      })),
    );
    return unsubscribe;
  }, [by, since, document, asked, pause, again]);
  useEffect(() => {
    if (every === undefined || state.fetching || !isVisible) return;
    const timer = setTimeout(refetch, every);
    return () => clearTimeout(timer);
  }, [every, state.fetching, isVisible, again]);
  return { ...state, refetch };
}

interface Following<D> {
  pause?: boolean;
  isDone?: (newest: D | undefined) => boolean;
  onOpen?: () => void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * Follow a subscription. A stream that ends or breaks is begun again, until `isDone` says that its newest data are the
 * last. The cache takes what comes, so that queries of the same objects are up to date. `onOpen` is called whenever a
 * stream is open: a subscription to changes tells none that came before, so what shows them is to be read again.
 */
export function useLive<D, V extends AnyVariables>(
  document: TypedDocumentNode<D, V>,
  variables: V,
  onData: (data: D) => void,
  { pause = false, isDone = () => false, onOpen = () => {} }: Following<D> = {},
): void {
  const by = useStore(client);
  const since = useStore(epoch);
  const isVisible = useStore(visible);
  const newest = useRef({ onData, isDone, onOpen });
  newest.current = { onData, isDone, onOpen };
  const asked = JSON.stringify(variables);
  useEffect(() => {
    if (pause || !isVisible) return;
    let stop = () => {};
    let isOver = false;
    let wait = FIRST_WAIT;
    let last: D | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      if (isOver || timer !== undefined) return;
      timer = setTimeout(() => ((timer = undefined), begin()), wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
    const opened: typeof fetch = async (url, init) => {
      const response = await fetchExact(url, init);
      if (response.ok && !isOver) newest.current.onOpen();
      return response;
    };
    const begin = () => {
      stop();
      const source = by.subscription(document, variables, { fetch: opened }).subscribe(({ data, error, hasNext }) => {
        if (data !== undefined && data !== null) {
          wait = FIRST_WAIT;
          last = data;
          newest.current.onData(data);
        }
        if (error !== undefined && isUnauthenticated(error)) isOver = true; // begun again with the next key
        if (!hasNext && newest.current.isDone(last)) isOver = true;
        if (!isOver && !hasNext) again();
      });
      stop = source.unsubscribe;
    };
    begin();
    return () => {
      isOver = true;
      clearTimeout(timer);
      stop();
    };
  }, [by, since, isVisible, document, asked, pause]);
}

/** A reason why an action did not work. */
export interface Problem {
  message: string;
  /** Path to the argument at fault, as it was sent. */
  field: readonly string[];
}

interface UserErrors {
  userErrors?: ReadonlyArray<{ message: string; field?: readonly string[] | null | undefined }>;
}

export interface Action<D, V> {
  /** Run the mutation. Its data, or undefined if there are problems. */
  run: (variables: V) => Promise<D | undefined>;
  /** Like `run`, with the problems of this run. */
  attempt: (variables: V) => Promise<{ data: D | undefined; problems: Problem[] }>;
  isBusy: boolean;
  problems: Problem[];
  /** Forget the problems. */
  clear: () => void;
}

/** A mutation, with the problems of its newest run: errors of the request, and user errors of its payloads. */
export function useAction<D extends object, V extends AnyVariables>(document: TypedDocumentNode<D, V>): Action<D, V> {
  const [isBusy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Problem[]>([]);
  const attempt = useCallback(
    async (variables: V) => {
      setBusy(true);
      const { data, error } = await client.value.mutation(document, variables).toPromise();
      setBusy(false);
      const found = error === undefined ? userErrors(data) : [{ message: explained(error), field: [] }];
      setProblems(found);
      return { data: found.length === 0 ? data : undefined, problems: found };
    },
    [document],
  );
  const run = useCallback(async (variables: V) => (await attempt(variables)).data, [attempt]);
  return { run, attempt, isBusy, problems, clear: useCallback(() => setProblems([]), []) };
}

function userErrors(data: object | null | undefined): Problem[] {
  return Object.values(data ?? {}).flatMap((payload: UserErrors | null) =>
    (payload?.userErrors ?? []).map(({ message, field }) => ({ message, field: field ?? [] })),
  );
}

/** An error in words. */
export function explained(error: CombinedError): string {
  if (isLost(error)) return 'The server does not answer.';
  return error.graphQLErrors.map(({ message }) => message).join(' ') || error.message;
}
