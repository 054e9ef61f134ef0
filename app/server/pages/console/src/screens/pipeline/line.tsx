import { short } from '../../components/numbers';
import { Status } from '../../components/status';
import { Duration } from '../../components/time';
import { TYPES, type Element } from './types';

/** The elements in their order, each with its state, its duration and its error. One of them is chosen. */
export function Line({
  elements,
  chosen,
  onChoose,
}: {
  elements: readonly Element[];
  chosen: Element;
  onChoose: (element: Element) => void;
}) {
  return (
    <ol class="line" aria-label="Elements">
      {elements.map(element => (
        <li key={element.id} class={element.status.toLowerCase()}>
          <button type="button" aria-pressed={element.id === chosen.id} onClick={() => onChoose(element)}>
            <span class="what">
              <b>{element.name}</b>
              <span class="dim small">{TYPES[element.elementType]}</span>
            </span>
            <span class="how">
              <Status value={element.status} />
              <span class="dim small">
                <State element={element} />
              </span>
            </span>
            {element.error && <span class="why">{element.error}</span>}
          </button>
        </li>
      ))}
    </ol>
  );
}

function State({ element: { job, status, warnings, isReused } }: { element: Element }) {
  if (isReused) return <>result taken over</>;
  if (!job?.startedAt) return null;
  const cost = job.progress?.bestCost;
  const count = warnings?.length ?? 0;
  return (
    <>
      <Duration from={job.startedAt} to={job.finishedAt} />
      {job.attempt > 1 && ` · attempt ${job.attempt}`}
      {status === 'RUNNING' && job.progress?.iteration && ` · ${job.progress.iteration} evaluations`}
      {cost !== null && cost !== undefined && ` · cost ${short(cost, 3)}`}
      {count > 0 && ` · ${count} ${count === 1 ? 'warning' : 'warnings'}`}
    </>
  );
}
