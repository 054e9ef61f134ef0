import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useAction, useData, useLive } from '../../api/hooks';
import { useViewer } from '../../api/viewer';
import { Confirm } from '../../components/dialog';
import { bytes, count, exact, short } from '../../components/numbers';
import { notify } from '../../components/notices';
import { Failure, Problems } from '../../components/problems';
import { Status } from '../../components/status';
import { Table } from '../../components/table';
import { Time } from '../../components/time';
import { Title } from '../../components/title';
import {
  ConsoleCompleteMeasurementDocument,
  ConsoleDeleteMeasurementDocument,
  ConsoleMeasurementDocument,
  ConsoleMeasurementUpdatedDocument,
  type ConsoleMeasurementQuery,
} from '../../generated/operations';
import { go, type ScreenProps } from '../../router';
import { Preview } from './preview';
import { Steps } from './steps';
import './data.css';

type Shown = NonNullable<ConsoleMeasurementQuery['measurement']>;

/** One measurement: its columns, a preview, its steps, and the pipelines that use it. */
export default function Measurement({ params }: ScreenProps) {
  const id = params['id']!;
  const { data, error, fetching, refetch } = useData(ConsoleMeasurementDocument, { id });
  const shown = data?.measurement;
  useLive(
    ConsoleMeasurementUpdatedDocument,
    { id },
    ({ measurementUpdated }) => {
      if (measurementUpdated.isTerminal) refetch();
    },
    { pause: !shown || shown.isTerminal, isDone: newest => newest?.measurementUpdated.isTerminal ?? false },
  );
  if (shown) return <Details of={shown} />;
  return (
    <div class="stack">
      <Title>Measurement</Title>
      <Failure error={error} retry={refetch} />
      {fetching || error ? (
        <p class="loading">{fetching && 'Loading…'}</p>
      ) : (
        <p>
          This measurement does not exist, or your key may not see it. <a href="#/data">To the data</a>
        </p>
      )}
    </div>
  );
}

function Details({ of }: { of: Shown }) {
  const isReady = of.status === 'READY';
  return (
    <div class="stack measurement">
      <div class="head">
        <Title>{of.name}</Title>
        <span role="status">
          <Status value={of.status} />
        </span>
        <Actions of={of} />
      </div>
      {of.error && (
        <p class="box bad" role="alert">
          {of.error}
        </p>
      )}
      {of.status === 'UPLOADING' && <Unfinished id={of.id} />}
      <section class="card" aria-label="About">
        <dl class="named">
          <Fact label="Reference">
            <code>db:{of.id}</code>
          </Fact>
          <Fact label="Project">{of.projectId}</Fact>
          {of.cell && <Fact label="Cell">{of.cell.name}</Fact>}
          <Fact label="File">{of.fileName ?? '–'}</Fact>
          <Fact label="Rows">{of.rows === null || of.rows === undefined ? '–' : count(of.rows)}</Fact>
          <Fact label="Size">{bytes(of.bytes)}</Fact>
          <Fact label="Created">
            <Time at={of.createdAt} /> {of.createdByEmail}
          </Fact>
          {of.tags.length > 0 && <Fact label="Tags">{of.tags.join(', ')}</Fact>}
          {of.notes && <Fact label="Notes">{of.notes}</Fact>}
          {of.sha256 && (
            <Fact label="SHA-256">
              <code class="hash">{of.sha256}</code>
            </Fact>
          )}
        </dl>
      </section>
      {isReady && of.type === 'TIME_SERIES' && <Preview id={of.id} columns={of.columns} />}
      {of.columns.length > 0 && (
        <section class="card flush">
          <Table
            label="Columns"
            rows={of.columns}
            id={({ name }) => name}
            columns={[
              { label: 'Column', cell: ({ name, unit }) => (unit ? name.replace(` [${unit}]`, '') : name) },
              { label: 'Unit', cell: ({ unit }) => unit ?? '–' },
              { label: 'Least', cell: ({ min }) => <span title={exact(min)}>{short(min)}</span>, isNumber: true },
              { label: 'Greatest', cell: ({ max }) => <span title={exact(max)}>{short(max)}</span>, isNumber: true },
              { label: 'Missing', cell: ({ missing }) => count(missing), isNumber: true },
            ]}
          />
        </section>
      )}
      {of.changes.length > 0 && (
        <section class="card stack" aria-label="Changes by the reader">
          <h2>Changes by the reader of the file</h2>
          <ul class="changes">
            {of.changes.map(each => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </section>
      )}
      {isReady && of.type === 'TIME_SERIES' && <Steps id={of.id} />}
      <section class="card flush">
        <h2 class="inside">{usage(of.usedBy.totalCount)}</h2>
        <Table
          label="Pipelines that use it"
          rows={of.usedBy.nodes}
          id={({ id }) => id}
          empty="No pipeline uses it."
          columns={[
            { label: 'Name', cell: ({ id, name }) => <a href={`#/pipeline/${id}`}>{name}</a> },
            { label: 'Status', cell: ({ status }) => <Status value={status} /> },
            { label: 'Created', cell: ({ createdAt }) => <Time at={createdAt} />, isNumber: true },
          ]}
        />
      </section>
    </div>
  );
}

/** An upload that goes on in another tab, or that broke off, perhaps after its file had arrived. */
function Unfinished({ id }: { id: string }) {
  const { run, isBusy, problems } = useAction(ConsoleCompleteMeasurementDocument);
  return (
    <div class="box warn">
      <p>Its upload has not ended. If no tab sends the file any more, have the server read it; if it did not arrive, delete this measurement and drop the file again.</p>
      <button type="button" disabled={isBusy} onClick={() => void run({ id })}>
        Read the file
      </button>
      <Problems problems={problems} />
    </div>
  );
}

function usage(total: number): string {
  if (total === 0) return 'Used by no pipeline';
  return total === 1 ? 'Used by one pipeline' : `Used by ${count(total)} pipelines`;
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Actions({ of }: { of: Shown }) {
  const readOnly = useViewer()?.readOnly ?? null;
  const [isAsking, ask] = useState(false);
  const { run, isBusy, problems } = useAction(ConsoleDeleteMeasurementDocument);
  const remove = async () => {
    if (!(await run({ id: of.id }))) return;
    notify(`${of.name} was deleted.`);
    go('/data', { replace: true });
  };
  return (
    <div class="actions">
      {of.status === 'READY' && (
        <a class="button primary" href={`#/new?data=${of.id}`}>
          Fit parameters
        </a>
      )}
      {of.downloadUrl && (
        <a class="button" href={of.downloadUrl.replace(/^\//, '')} download={of.fileName ?? of.name}>
          Download
        </a>
      )}
      <button type="button" class="danger" disabled={readOnly !== null} title={readOnly ?? undefined} onClick={() => ask(true)}>
        Delete
      </button>
      {isAsking && (
        <Confirm title={`Delete ${of.name}?`} action="Delete" isBusy={isBusy} onConfirm={() => void remove()} onClose={() => ask(false)}>
          <p>Its file is deleted too. Results of pipelines that used it stay.</p>
          <Problems problems={problems} />
        </Confirm>
      )}
    </div>
  );
}
