import { useEffect, useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { count } from '../../components/numbers';
import { Status } from '../../components/status';
import { ConsoleProjectsDocument, type PipelineFilter, type PipelineOrder } from '../../generated/operations';
import { go } from '../../router';

export type PipelineStatus = NonNullable<PipelineFilter['statuses']>[number];

export const STATUSES: readonly PipelineStatus[] = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED'];

const TYPING = 300;
const ORDERS: Record<string, { label: string; order: PipelineOrder }> = {
  newest: { label: 'Newest first', order: { field: 'CREATED_AT', direction: 'DESC' } },
  oldest: { label: 'Oldest first', order: { field: 'CREATED_AT', direction: 'ASC' } },
  changed: { label: 'Last changed first', order: { field: 'UPDATED_AT', direction: 'DESC' } },
  longest: { label: 'Longest first', order: { field: 'DURATION', direction: 'DESC' } },
  name: { label: 'By name', order: { field: 'NAME', direction: 'ASC' } },
};

/** The filter that the address holds. */
export function filterOf(query: URLSearchParams): PipelineFilter {
  const statuses = STATUSES.filter(status => query.get('status')?.split(',').includes(status));
  const [name, project, label] = [query.get('name'), query.get('project'), query.get('label')];
  return {
    ...(statuses.length > 0 && { statuses }),
    ...(name && { nameContains: name }),
    ...(project && { projectId: project }),
    ...(label && { labelsAll: [label] }),
    ...(query.has('mine') && { createdByMe: true }),
  };
}

/** The order that the address holds. */
export function orderOf(query: URLSearchParams): PipelineOrder {
  return (ORDERS[query.get('order') ?? 'newest'] ?? ORDERS['newest']!).order;
}

/** Counts by status that filter, and the other filters. The address holds them: it can be shared. */
export function Filters({
  query,
  counts,
  isUser,
}: {
  query: URLSearchParams;
  counts: ReadonlyMap<PipelineStatus, number> | undefined;
  /** Whether the caller is a user, who may have pipelines of their own. */
  isUser: boolean;
}) {
  const chosen = query.get('status')?.split(',') ?? [];
  const toggle = (status: PipelineStatus) =>
    set(query, 'status', (chosen.includes(status) ? chosen.filter(each => each !== status) : [...chosen, status]).join(','));
  return (
    <>
      <div class="counts" role="group" aria-label="Status">
        {STATUSES.map(status => (
          <button key={status} type="button" class="count" aria-pressed={chosen.includes(status)} onClick={() => toggle(status)}>
            <b>{counts === undefined ? '…' : count(counts.get(status) ?? 0)}</b>
            <Status value={status} />
          </button>
        ))}
      </div>
      <div class="filters" role="search">
        <Typed label="Name" name="name" query={query} placeholder="Search names" />
        <Typed label="Label" name="label" query={query} placeholder="Any label" />
        <Projects query={query} />
        <label>
          <span class="unseen">Order</span>
          <select value={query.get('order') ?? 'newest'} onChange={event => set(query, 'order', event.currentTarget.value)}>
            {Object.entries(ORDERS).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        {isUser && (
          <label class="check">
            <input type="checkbox" checked={query.has('mine')} onChange={event => set(query, 'mine', event.currentTarget.checked ? '1' : '')} />
            Mine
          </label>
        )}
      </div>
    </>
  );
}

/** The projects to choose from; one in the address is offered too. */
function Projects({ query }: { query: URLSearchParams }) {
  const { data } = useData(ConsoleProjectsDocument, {});
  const chosen = query.get('project') ?? '';
  const known = data?.projects.map(({ id }) => id) ?? [];
  return (
    <label>
      <span class="unseen">Project</span>
      <select value={chosen} onChange={event => set(query, 'project', event.currentTarget.value)}>
        <option value="">All projects</option>
        {[...new Set([...(chosen ? [chosen] : []), ...known])].map(id => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A text field that filters a moment after the last key. */
function Typed({
  label,
  name,
  query,
  ...others
}: {
  label: string;
  name: string;
  query: URLSearchParams;
  placeholder: string;
}) {
  const current = query.get(name) ?? '';
  const [text, setText] = useState(current);
  useEffect(() => setText(current), [current]);
  useEffect(() => {
    if (text === current) return;
    const timer = setTimeout(() => set(query, name, text), TYPING);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label>
      <span class="unseen">{label}</span>
      <input type="search" {...others} value={text} spellcheck={false} autocomplete="off" onInput={event => setText(event.currentTarget.value)} />
    </label>
  );
}

function set(query: URLSearchParams, name: string, value: string): void {
  const next = new URLSearchParams(query);
  if (value) next.set(name, value);
  else next.delete(name);
  const text = next.toString();
  go(text ? `/?${text}` : '/', { replace: true });
}
