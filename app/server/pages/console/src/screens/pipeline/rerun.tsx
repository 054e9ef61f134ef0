import { useState } from 'preact/hooks';
import { useAction } from '../../api/hooks';
import { Dialog } from '../../components/dialog';
import { notify } from '../../components/notices';
import { Problems } from '../../components/problems';
import { ConsoleRerunDocument } from '../../generated/operations';
import { go } from '../../router';
import type { Run } from './types';

/** A question from which element a pipeline runs again. The results of those before it are taken over. */
export function Rerun({ run: { id, elements }, onClose }: { run: Run; onClose: () => void }) {
  const rerun = useAction(ConsoleRerunDocument);
  const broken = elements.findIndex(({ status }) => status !== 'COMPLETED');
  const possible = broken < 0 ? elements : elements.slice(0, broken + 1);
  const [from, setFrom] = useState(possible.at(broken < 0 ? 0 : -1)?.name ?? '');
  const begin = async () => {
    const made = (await rerun.run({ id, input: { from } }))?.rerunPipeline.pipeline;
    if (!made) return;
    notify(`“${made.name}” runs.`);
    onClose();
    go(`/pipeline/${made.id}`);
  };
  return (
    <Dialog title="Run again" onClose={onClose}>
      <label class="field">
        From element
        <select value={from} onChange={event => setFrom(event.currentTarget.value)} autofocus>
          {possible.map(({ id: element, name }) => (
            <option key={element} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <p class="dim small">A new pipeline is made. It takes over the results of the elements before this one, and starts.</p>
      <Problems problems={rerun.problems} />
      <div class="actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="primary" disabled={rerun.isBusy} onClick={begin}>
          Run again
        </button>
      </div>
    </Dialog>
  );
}
