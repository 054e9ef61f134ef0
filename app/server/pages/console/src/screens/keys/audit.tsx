import { useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { Failure } from '../../components/problems';
import { Table } from '../../components/table';
import { Time } from '../../components/time';
import { ConsoleAuditLogDocument, type ConsoleAuditLogQuery } from '../../generated/operations';

const SIZE = 20;

type Entry = ConsoleAuditLogQuery['auditLog']['nodes'][number];

/** What keys changed, the newest first. */
export function Audit() {
  const [after, setAfter] = useState<string | null>(null);
  const [before, setBefore] = useState<readonly Entry[]>([]);
  const { data, error, fetching, refetch } = useData(ConsoleAuditLogDocument, { first: SIZE, after });
  // By id: until a page is there, the data are still those of the page before.
  const entries = [...new Map([...before, ...(data?.auditLog.nodes ?? [])].map(entry => [entry.id, entry])).values()];
  const { hasNextPage = false, endCursor } = data?.auditLog.pageInfo ?? {};
  const more = () => {
    setBefore(entries);
    setAfter(endCursor ?? null);
  };
  const again = () => {
    setBefore([]);
    setAfter(null);
    refetch();
  };
  return (
    <>
      <Failure error={error} retry={refetch} />
      <section class="card flush">
        <div class="head inside audit">
          <h2>Audit log</h2>
          <span class="dim small">What keys changed, the newest first.</span>
          <div class="actions">
            <button type="button" class="quiet" disabled={fetching} onClick={again}>
              Read again
            </button>
          </div>
        </div>
        <Table
          label="Audit log"
          isBusy={fetching}
          rows={entries}
          id={({ id }) => id}
          empty="No key has changed anything yet."
          columns={[
            { label: 'When', cell: ({ at }) => <Time at={at} />, isNumber: true },
            { label: 'Change', cell: ({ action }) => action.toLowerCase() },
            { label: 'Of', cell: ({ objectType }) => objectType.toLowerCase().replace('_', ' ') },
            { label: 'Name', cell: entry => <Named entry={entry} />, kind: 'holder' },
            { label: 'Project', cell: ({ projectId }) => projectId ?? '–' },
            { label: 'Key', cell: ({ key }) => <code>{key}</code> },
            { label: 'Holder', cell: ({ email }) => email ?? '–', kind: 'wide' },
          ]}
        />
      </section>
      {hasNextPage && (
        <div>
          <button type="button" disabled={fetching} onClick={more}>
            More
          </button>
        </div>
      )}
    </>
  );
}

function Named({ entry: { action, objectType, objectId, objectName } }: { entry: Entry }) {
  const place = { PIPELINE: 'pipeline', MEASUREMENT: 'data' }[objectType as string];
  if (place === undefined || action === 'DELETED') return <>{objectName}</>;
  return <a href={`#/${place}/${encodeURIComponent(objectId)}`}>{objectName}</a>;
}
