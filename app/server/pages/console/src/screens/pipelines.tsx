import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { useData, useLive } from '../api/hooks';
import { useViewer } from '../api/viewer';
import { usePage, Paging } from '../components/paging';
import { Failure } from '../components/problems';
import { Bar, Status } from '../components/status';
import { Table, type Column } from '../components/table';
import { Duration, Time } from '../components/time';
import { Title } from '../components/title';
import {
  ConsolePipelineListDocument,
  ConsolePipelinesLiveDocument,
  ConsolePipelineTotalsDocument,
  type ConsolePipelineListQuery,
  type ConsolePipelinesLiveSubscription,
} from '../generated/operations';
import type { ScreenProps } from '../router';
import { Filters, orderOf, filterOf, STATUSES } from './pipelines/filters';
import { Picked, type Pick } from './pipelines/picked';
import './pipelines/pipelines.css';

type Row = ConsolePipelineListQuery['pipelines']['nodes'][number];

const SIZE = 25;
const PAUSE = 1_500;

/** The pipelines that the caller may see: counted by status, filtered, live. */
export default function Pipelines({ query }: ScreenProps) {
  const viewer = useViewer();
  const filter = filterOf(query);
  const { statuses, ...others } = filter;
  const orderBy = orderOf(query);
  const [page, setPage] = usePage(SIZE, JSON.stringify([filter, orderBy]));
  const list = useData(ConsolePipelineListDocument, { filter, orderBy, ...page.args });
  const totals = useData(ConsolePipelineTotalsDocument, { filter: others });
  const [picked, setPicked] = useState<ReadonlyMap<string, Pick>>(new Map());
  const rows = list.data?.pipelines.nodes ?? [];
  const refresh = () => (list.refetch(), totals.refetch());
  const again = usePaced(refresh, PAUSE);
  const shown = useRef(rows);
  shown.current = rows;
  const onChange = ({ pipelinesUpdated: { pipeline } }: ConsolePipelinesLiveSubscription) => {
    const old = shown.current.find(({ id }) => id === pipeline?.id);
    // The cache has the new state of rows that are shown already; what comes, goes or moves needs the server.
    if (old === undefined || !pipeline || old.status !== pipeline.status || orderBy.field !== 'CREATED_AT') again();
  };
  useLive(ConsolePipelinesLiveDocument, { filter: others }, onChange, { onOpen: refresh });
  const counts = new Map(totals.data?.pipelineCounts.map(each => [each.status, each.count]));
  const total = (statuses ?? STATUSES).reduce((sum, status) => sum + (counts.get(status) ?? 0), 0);
  const pick = (row: Row, isPicked: boolean) => {
    const next = new Map(picked);
    if (isPicked) next.set(row.id, { id: row.id, name: row.name });
    else next.delete(row.id);
    setPicked(next);
  };
  const isFiltered = [...query.keys()].some(name => name !== 'order');
  return (
    <>
      <div class="head">
        <Title>Pipelines</Title>
        <div class="actions">
          {viewer?.readOnly ? (
            <button type="button" class="primary" disabled title={viewer.readOnly}>
              New pipeline
            </button>
          ) : (
            <a class="button primary" href="#/new">
              New pipeline
            </a>
          )}
        </div>
      </div>
      <Filters query={query} counts={totals.data ? counts : undefined} isUser={!!viewer?.userId} />
      <Failure error={list.error} retry={list.refetch} />
      <Picked picked={picked} readOnly={viewer?.readOnly ?? null} onDone={() => (setPicked(new Map()), again())} />
      <div class="card flush">
        <Table
          label="Pipelines"
          isBusy={list.fetching}
          rows={rows}
          id={({ id }) => id}
          selected={({ id }) => picked.has(id)}
          empty={isFiltered ? 'No pipeline matches.' : <First />}
          columns={[
            {
              label: <PickPage rows={rows} picked={picked} onPick={setPicked} />,
              cell: row => (
                <input
                  type="checkbox"
                  aria-label={`Select ${row.name}`}
                  checked={picked.has(row.id)}
                  onChange={event => pick(row, event.currentTarget.checked)}
                />
              ),
              kind: 'pick',
            },
            ...COLUMNS,
          ]}
        />
        <div class="below">
          <Paging info={list.data?.pipelines.pageInfo} page={page} size={SIZE} shown={rows.length} total={totals.data && total} onPage={setPage} />
        </div>
      </div>
    </>
  );
}

const COLUMNS: Array<Column<Row>> = [
  {
    label: 'Name',
    cell: ({ id, name, labels, error, errorCode, progress: { current } }) => (
      <>
        <a class="name" href={`#/pipeline/${id}`}>
          {name}
        </a>
        <Labels labels={labels} />
        {error && (
          <div class="why" title={error}>
            {errorCode}: {error}
          </div>
        )}
        {current && <div class="dim small">{current.name}</div>}
      </>
    ),
    kind: 'main',
  },
  { label: 'Status', cell: ({ status }) => <Status value={status} /> },
  {
    label: 'Progress',
    cell: ({ progress: { finished, total } }) => (
      <span class="progress">
        <Bar value={finished} max={total} label={`${finished} of ${total} elements have ended`} />
        <span class="dim">
          {finished}/{total}
        </span>
      </span>
    ),
    kind: 'wide',
  },
  { label: 'Project', cell: ({ projectId }) => <span class="project" title={projectId}>{projectId}</span>, kind: 'wide' },
  { label: 'By', cell: ({ createdByEmail }) => <span class="dim">{createdByEmail ?? '–'}</span>, kind: 'wide' },
  { label: 'Took', cell: ({ startedAt, finishedAt }) => <Duration from={startedAt} to={finishedAt} />, isNumber: true },
  { label: 'Created', cell: ({ createdAt }) => <Time at={createdAt} />, isNumber: true, kind: 'wide' },
];

/** The labels of a pipeline; a click lists those that have it too. */
function Labels({ labels }: { labels: readonly string[] }) {
  return (
    <>
      {labels.map(label => (
        <a key={label} class="chip label" href={`#/?label=${encodeURIComponent(label)}`}>
          {label}
        </a>
      ))}
    </>
  );
}

/** A checkbox for all pipelines of the page. */
function PickPage({
  rows,
  picked,
  onPick,
}: {
  rows: readonly Row[];
  picked: ReadonlyMap<string, Pick>;
  onPick: (picked: ReadonlyMap<string, Pick>) => void;
}) {
  const isAll = rows.length > 0 && rows.every(({ id }) => picked.has(id));
  const change = () => {
    const next = new Map(picked);
    for (const { id, name } of rows) {
      if (isAll) next.delete(id);
      else next.set(id, { id, name });
    }
    onPick(next);
  };
  return (
    <input type="checkbox" aria-label="Select all of this page" checked={isAll} disabled={rows.length === 0} onChange={change} />
  );
}

/** What to do on a server without pipelines. */
function First() {
  return (
    <>
      <p>No pipelines yet.</p>
      <a href="#/new">Create one</a>
    </>
  );
}

/** A function that runs at once, then at most once per `pause` ms, and once more after the last call. */
function usePaced(run: () => void, pause: number): () => void {
  const newest = useRef(run);
  newest.current = run;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isDue = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    const tick = () => {
      timer.current = undefined;
      if (isDue.current) begin();
    };
    const begin = () => {
      isDue.current = false;
      newest.current();
      timer.current = setTimeout(tick, pause);
    };
    if (timer.current === undefined) begin();
    else isDue.current = true;
  }, [pause]);
}

