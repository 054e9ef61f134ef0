import { useData } from '../api/hooks';
import { count } from '../components/numbers';
import { Failure } from '../components/problems';
import { Status } from '../components/status';
import { Table } from '../components/table';
import { Time } from '../components/time';
import { Title } from '../components/title';
import { ConsolePipelineListDocument, ConsolePipelineTotalsDocument } from '../generated/operations';

/** The pipelines that the caller may see. */
export default function Pipelines() {
  const { data, error, fetching, refetch } = useData(ConsolePipelineListDocument, { first: 25 });
  const totals = useData(ConsolePipelineTotalsDocument, {});
  return (
    <>
      <div class="head">
        <Title>Pipelines</Title>
        {totals.data?.pipelineCounts.map(each => (
          <span key={each.status}>
            <Status value={each.status} /> {count(each.count)}
          </span>
        ))}
      </div>
      <Failure error={error} retry={refetch} />
      <div class="card flush">
        <Table
          label="Pipelines"
          isBusy={fetching}
          rows={data?.pipelines.nodes ?? []}
          id={({ id }) => id}
          columns={[
            { label: 'Name', cell: ({ id, name }) => <a href={`#/pipeline/${id}`}>{name}</a> },
            { label: 'Status', cell: ({ status }) => <Status value={status} /> },
            { label: 'Created', cell: ({ createdAt }) => <Time at={createdAt} />, isNumber: true },
          ]}
        />
      </div>
    </>
  );
}
