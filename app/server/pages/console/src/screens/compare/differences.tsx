import { useMemo, useState } from 'preact/hooks';
import { Failure } from '../../components/problems';
import { Table } from '../../components/table';
import { ConsoleCompareConfigurationsDocument } from '../../generated/operations';
import { Key, type Run } from './key';
import { changes, type Change } from './configurations';
import { useEach } from './each';

/** The places where the configurations of the runs differ, read when they are asked for. */
export function Configurations({ runs }: { runs: readonly Run[] }) {
  const [isOpen, open] = useState(false);
  const ids = runs.map(({ id }) => id);
  const { answers, refetch } = useEach(ConsoleCompareConfigurationsDocument, ids, {}, !isOpen);
  const isRead = answers.every(({ data }) => data !== undefined);
  const found = useMemo(
    () =>
      changes(
        answers.map(({ data }) => Object.fromEntries((data?.pipeline?.elements ?? []).map(({ name, jobConfig }) => [name, jobConfig]))),
        '$',
      ),
    [isRead, answers.map(({ data }) => data?.pipeline?.id).join()],
  );
  if (runs.length < 2) return null;
  return (
    <section class="card flush" aria-label="Configurations">
      <div class="head inside">
        <h2>Differences of the configurations</h2>
        <button type="button" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
          {isOpen ? 'Hide differences' : 'Show differences'}
        </button>
      </div>
      <Failure error={answers.find(({ error }) => error)?.error} retry={refetch} />
      {isOpen && (
        <Table
          label="Differences of the configurations by JSON path"
          rows={isRead ? found : []}
          isBusy={!isRead}
          id={({ path }) => path}
          empty="The configurations are the same."
          columns={[
            { label: 'Path', cell: ({ path }) => <code>{path}</code> },
            ...runs.map((_, index) => ({
              label: <Key index={index} />,
              cell: ({ values }: Change) =>
                values[index] === undefined ? <span class="dim">–</span> : <code class="value">{values[index]}</code>,
            })),
          ]}
        />
      )}
    </section>
  );
}
