import { useData } from '../../api/hooks';
import { Failure } from '../../components/problems';
import { ConsoleElementConfigDocument } from '../../generated/operations';
import { History } from './history';
import { Objective } from './objective';
import type { Element } from './types';

/** The plots of an element: how its cost fell, and its model against the data. */
export function Plots({ element }: { element: Element }) {
  return (
    <div class="stack">
      {element.elementType === 'DATA_FIT' && <History element={element} />}
      {element.status === 'COMPLETED' && <Objectives element={element} />}
      {element.status === 'RUNNING' && <p class="dim small">The model against the data can be shown when the fit has ended.</p>}
    </div>
  );
}

function Objectives({ element: { id, elementType } }: { element: Element }) {
  const { data, error, refetch } = useData(ConsoleElementConfigDocument, { id });
  const node = data?.node;
  const config = node && 'jobConfig' in node ? (node.jobConfig as { objectives?: object }) : undefined;
  return (
    <>
      <Failure error={error} retry={refetch} />
      {Object.keys(config?.objectives ?? {}).map(name => (
        <Objective key={name} id={id} name={name} isFit={elementType === 'DATA_FIT'} />
      ))}
    </>
  );
}
