import { useState } from 'preact/hooks';
import { useAction, type Action, type Problem } from '../../api/hooks';
import { Confirm } from '../../components/dialog';
import { count } from '../../components/numbers';
import { notify } from '../../components/notices';
import { Problems } from '../../components/problems';
import { Bar } from '../../components/status';
import { ConsoleCancelDocument, ConsoleDeleteDocument } from '../../generated/operations';
import { go } from '../../router';
import { SCREENS } from '../../screens';

export interface Pick {
  id: string;
  name: string;
}

/** Number of runs that one comparison can show. */
const MOST_COMPARED = 8;

const HAS_COMPARISON = SCREENS.some(({ pattern }) => pattern.startsWith('/compare/'));

/** What can be done with the pipelines that are selected. */
export function Picked({
  picked,
  readOnly,
  onDone,
}: {
  picked: ReadonlyMap<string, Pick>;
  readOnly: string | null;
  /** They are no longer selected. */
  onDone: () => void;
}) {
  const cancel = useAction(ConsoleCancelDocument);
  const remove = useAction(ConsoleDeleteDocument);
  const [asking, ask] = useState<'cancel' | 'delete' | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const [problems, setProblems] = useState<Problem[]>([]);
  if (picked.size === 0) return <Problems problems={problems} />;

  const each = async (action: Action<object, { id: string }>, word: string) => {
    const found: Problem[] = [];
    let finished = 0;
    setDone(0);
    for (const { id, name } of picked.values()) {
      const { data, problems: faults } = await action.attempt({ id });
      found.push(...faults.map(({ message }) => ({ message: `${name}: ${message}`, field: [] })));
      if (data === undefined && faults.length === 0) break;
      setDone(++finished);
    }
    setDone(null);
    ask(null);
    setProblems(found);
    notify(`${count(picked.size - found.length)} ${word}.`);
    onDone();
  };
  const tooMany = picked.size > MOST_COMPARED ? `At most ${MOST_COMPARED} runs can be compared.` : undefined;
  const tooFew = picked.size < 2 ? 'Select two runs or more to compare them.' : undefined;
  const text = `${count(picked.size)} ${picked.size === 1 ? 'pipeline' : 'pipelines'}`;
  return (
    <>
      <div class="picked" role="region" aria-label="Selected pipelines">
        <b>{count(picked.size)} selected</b>
        {HAS_COMPARISON && (
          <button type="button" disabled={!!(tooMany ?? tooFew)} title={tooMany ?? tooFew} onClick={() => go(`/compare/${[...picked.keys()].join(',')}`)}>
            Compare
          </button>
        )}
        <button type="button" disabled={!!readOnly} title={readOnly ?? undefined} onClick={() => ask('cancel')}>
          Cancel
        </button>
        <button type="button" class="danger" disabled={!!readOnly} title={readOnly ?? undefined} onClick={() => ask('delete')}>
          Delete
        </button>
        <button type="button" class="quiet" onClick={onDone}>
          Clear selection
        </button>
      </div>
      <Problems problems={problems} />
      {asking === 'cancel' && (
        <Confirm title={`Cancel ${text}?`} action="Cancel them" isBusy={done !== null} onConfirm={() => each(cancel, 'canceled')} onClose={() => ask(null)}>
          <p>Running jobs are stopped. Those that have ended stay as they are.</p>
          <Progress done={done} of={picked.size} />
        </Confirm>
      )}
      {asking === 'delete' && (
        <Confirm title={`Delete ${text}?`} action="Delete" isBusy={done !== null} onConfirm={() => each(remove, 'deleted')} onClose={() => ask(null)}>
          <p>They go with their results. This cannot be undone. Running ones must be canceled first.</p>
          <Progress done={done} of={picked.size} />
        </Confirm>
      )}
    </>
  );
}

function Progress({ done, of }: { done: number | null; of: number }) {
  return done === null ? null : <Bar value={done} max={of} label={`${done} of ${of} done`} />;
}
