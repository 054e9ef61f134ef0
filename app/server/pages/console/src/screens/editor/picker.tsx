import { useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { Dialog } from '../../components/dialog';
import { count } from '../../components/numbers';
import { Failure } from '../../components/problems';
import { Time } from '../../components/time';
import { ConsoleMeasurementListDocument } from '../../generated/operations';

const SHOWN = 20;

/** A dialog to pick a measurement that can be referenced. */
export function Picker({ projectId, onPick, onClose }: { projectId: string; onPick: (id: string) => void; onClose: () => void }) {
  const [text, setText] = useState('');
  const [isOwn, setOwn] = useState(false);
  const filter = {
    statuses: ['READY' as const],
    ...(text.trim() && { nameContains: text.trim() }),
    ...(isOwn && { projectId }),
  };
  const { data, error, fetching, refetch } = useData(ConsoleMeasurementListDocument, { filter, first: SHOWN });
  const found = data?.measurements.nodes ?? [];
  return (
    <Dialog title="Insert data" onClose={onClose}>
      <p class="dim small">The reference takes the place of the text around the cursor, or of the data of the objective.</p>
      <label class="field">
        Name
        <input type="search" value={text} onInput={event => setText(event.currentTarget.value)} />
      </label>
      <label class="check">
        <input type="checkbox" checked={isOwn} onChange={event => setOwn(event.currentTarget.checked)} />
        Only of project {projectId}
      </label>
      <Failure error={error} retry={refetch} />
      <ul class="choices" aria-busy={fetching}>
        {found.map(({ id, name, rows, projectId: project, createdAt }) => (
          <li key={id}>
            <button type="button" onClick={() => onPick(id)}>
              <b>{name}</b>
              <span class="dim small">
                {project} · {count(rows ?? 0)} rows · <Time at={createdAt} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {!fetching && found.length === 0 && (
        <p class="dim">
          No measurement that can be read. <a href="#/data">Upload a file</a>
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
