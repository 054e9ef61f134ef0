import { useEffect, useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { defaultProject } from '../../api/project';
import { useStore } from '../../api/store';
import { bytes, count } from '../../components/numbers';
import { Paging, usePage } from '../../components/paging';
import { Failure } from '../../components/problems';
import { Status } from '../../components/status';
import { Table } from '../../components/table';
import { Time } from '../../components/time';
import { Title } from '../../components/title';
import { ConsoleMeasurementListDocument, type MeasurementStatus } from '../../generated/operations';
import { Drop } from './drop';
import { uploads } from './uploads';
import './data.css';

const SIZE = 25;
const TYPED = 250;
const AGAIN = 5_000;
const STATUSES: MeasurementStatus[] = ['READY', 'PROCESSING', 'UPLOADING', 'FAILED'];

/** The measurements that the caller may see, and a place to drop files. */
export default function Measurements() {
  const [project, setProject] = useState(defaultProject);
  const [typed, setTyped] = useState('');
  const [name, setName] = useState('');
  const [status, setStatus] = useState('');
  const [only, setOnly] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setName(typed.trim()), TYPED);
    return () => clearTimeout(timer);
  }, [typed]);
  const filter = {
    ...(name && { nameContains: name }),
    ...(status && { statuses: [status as MeasurementStatus] }),
    ...(only && project.trim() && { projectId: project.trim() }),
  };
  const [page, setPage] = usePage(SIZE, JSON.stringify(filter));
  const { data, error, fetching, refetch } = useData(ConsoleMeasurementListDocument, { filter, ...page.args }, { every: AGAIN });
  const ended = useStore(uploads)
    .map(({ measurement, stage }) => (measurement ? stage : ''))
    .join();
  useEffect(() => {
    if (ended) refetch();
  }, [ended]);
  const list = data?.measurements;
  return (
    <div class="stack">
      <div class="head">
        <Title>Data</Title>
      </div>
      <Drop project={project} onProject={setProject} />
      <div class="row" role="search">
        <input
          type="search"
          aria-label="Name contains"
          placeholder="Name"
          value={typed}
          onInput={event => setTyped(event.currentTarget.value)}
        />
        <select aria-label="Status" value={status} onChange={event => setStatus(event.currentTarget.value)}>
          <option value="">any status</option>
          {STATUSES.map(each => (
            <option key={each} value={each}>
              {each.toLowerCase()}
            </option>
          ))}
        </select>
        <label class="check">
          <input type="checkbox" checked={only} onChange={event => setOnly(event.currentTarget.checked)} />
          only project {project}
        </label>
      </div>
      <Failure error={error} retry={refetch} />
      <div class="card flush">
        <Table
          label="Measurements"
          isBusy={fetching}
          rows={list?.nodes ?? []}
          id={({ id }) => id}
          empty={name || status || only ? 'No measurement matches.' : 'No measurement yet: drop a file above.'}
          columns={[
            { label: 'Name', cell: row => <a href={`#/data/${row.id}`}>{row.name}</a> },
            { label: 'Status', cell: row => <Status value={row.status} /> },
            { label: 'Rows', cell: row => (row.rows === null || row.rows === undefined ? '–' : count(row.rows)), isNumber: true },
            { label: 'Size', cell: row => bytes(row.bytes), isNumber: true, kind: 'wide' },
            { label: 'Project', cell: row => row.projectId, kind: 'wide' },
            { label: 'By', cell: row => row.createdByEmail ?? '–', kind: 'wide' },
            { label: 'Created', cell: row => <Time at={row.createdAt} />, isNumber: true },
          ]}
        />
      </div>
      <Paging info={list?.pageInfo} page={page} size={SIZE} shown={list?.nodes.length ?? 0} total={list?.totalCount} onPage={setPage} />
    </div>
  );
}
