import { History } from './history';
import { Objective } from './objective';
import type { Element } from './types';

/** The plots of an element: how its cost fell, and its model against the data. */
export function Plots({ element }: { element: Element }) {
  const { id, elementType, status, objectives } = element;
  const isFit = elementType === 'DATA_FIT';
  return (
    <div class="stack">
      {isFit && <History element={element} />}
      {objectives.map(({ name }) => (
        <Objective key={name} id={id} name={name} isFit={isFit} />
      ))}
      {status === 'RUNNING' && <p class="dim small">The model against the data can be shown when the fit has ended.</p>}
    </div>
  );
}
