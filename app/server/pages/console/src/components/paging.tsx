import { useState } from 'preact/hooks';
import { count } from './numbers';

interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor?: string | null | undefined;
  endCursor?: string | null | undefined;
}

/** A place in a list: the arguments of its page, and how many items come before it. */
export interface Page {
  args: { first?: number; after?: string | null; last?: number; before?: string | null };
  offset: number;
}

/** The page of a list, back at its start when `list`, such as its filter, changes. */
export function usePage(size: number, list: string): [Page, (page: Page) => void, Page] {
  const start: Page = { args: { first: size }, offset: 0 };
  const [{ of, page }, set] = useState({ of: list, page: start });
  return [of === list ? page : start, next => set({ of: list, page: next }), start];
}

/** Buttons to the pages before and after, with the place in the list. */
export function Paging({
  info,
  page,
  size,
  shown,
  total,
  onPage,
}: {
  info: PageInfo | undefined;
  page: Page;
  size: number;
  /** Number of items on this page. */
  shown: number;
  /** Number of all items, if known. */
  total: number | undefined;
  onPage: (page: Page) => void;
}) {
  const before = () =>
    onPage(
      page.offset <= size
        ? { args: { first: size }, offset: 0 }
        : { args: { last: size, before: info?.startCursor ?? null }, offset: page.offset - size },
    );
  const after = () => onPage({ args: { first: size, after: info?.endCursor ?? null }, offset: page.offset + shown });
  const from = shown ? page.offset + 1 : 0;
  return (
    <nav class="paging" aria-label="Pages">
      <button type="button" onClick={before} disabled={page.offset === 0} aria-label="Previous page">
        ‹
      </button>
      <span>
        {count(from)}–{count(page.offset + shown)}
        {total !== undefined && ` of ${count(total)}`}
      </span>
      <button type="button" onClick={after} disabled={!info?.hasNextPage} aria-label="Next page">
        ›
      </button>
    </nav>
  );
}
