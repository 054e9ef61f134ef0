import { useState } from 'preact/hooks';
import { useAction, type Problem } from '../../api/hooks';
import { Confirm } from '../../components/dialog';
import { count } from '../../components/numbers';
import { notify } from '../../components/notices';
import { Problems } from '../../components/problems';
import { Bar } from '../../components/status';
import { ConsoleCancelManyDocument, ConsoleDeleteManyDocument } from '../../generated/operations';
import { go } from '../../router';

export interface Pick {
  id: string;
  name: string;
}

/** Number of runs that one comparison can show. */
const MOST_COMPARED = 8;

/** Number of pipelines that one request changes. */
const AT_ONCE = 50;

interface Outcome {
  /** One entry for each pipeline; undefined if the request failed. */
  results: ReadonlyArray<{ userErrors: ReadonlyArray<{ message: string }> }> | undefined;
  problems: Problem[];
}

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
  const cancel = useAction(ConsoleCancelManyDocument);
  const remove = useAction(ConsoleDeleteManyDocument);
  const [asking, ask] = useState<'cancel' | 'delete' | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const [problems, setProblems] = useState<Problem[]>([]);
  if (picked.size === 0) return <Problems problems={problems} />;

  const each = async (change: (ids: string[]) => Promise<Outcome>, word: string) => {
    const all = [...picked.values()];
    const found: Problem[] = [];
    let changed = 0;
    setDone(0);
    for (let i = 0; i < all.length; i += AT_ONCE) {
      const part = all.slice(i, i + AT_ONCE);
      const { results, problems: faults } = await change(part.map(({ id }) => id));
      found.push(...faults);
      if (results === undefined) break;
      for (const [j, { userErrors }] of results.entries()) {
        if (userErrors.length === 0) changed += 1;
        found.push(...userErrors.map(({ message }) => ({ message: `${part[j]?.name}: ${message}`, field: [] })));
      }
      setDone(i + part.length);
    }
    setDone(null);
    ask(null);
    setProblems(found);
    notify(`${count(changed)} ${word}.`);
    onDone();
  };
  const cancelThem = async (ids: string[]): Promise<Outcome> => {
    const { data, problems: faults } = await cancel.attempt({ ids });
    return { results: data?.cancelPipelines.results, problems: faults };
  };
  const deleteThem = async (ids: string[]): Promise<Outcome> => {
    const { data, problems: faults } = await remove.attempt({ ids });
    return { results: data?.deletePipelines.results, problems: faults };
  };
  const tooMany = picked.size > MOST_COMPARED ? `At most ${MOST_COMPARED} runs can be compared.` : undefined;
  const tooFew = picked.size < 2 ? 'Select two runs or more to compare them.' : undefined;
  const text = `${count(picked.size)} ${picked.size === 1 ? 'pipeline' : 'pipelines'}`;
  return (
    <>
      <div class="picked" role="region" aria-label="Selected pipelines">
        <b>{count(picked.size)} selected</b>
        <button type="button" disabled={!!(tooMany ?? tooFew)} title={tooMany ?? tooFew} onClick={() => go(`/compare/${[...picked.keys()].join(',')}`)}>
          Compare
        </button>
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
        <Confirm title={`Cancel ${text}?`} action="Cancel them" isBusy={done !== null} onConfirm={() => each(cancelThem, 'canceled')} onClose={() => ask(null)}>
          <p>Running jobs are stopped. Those that have ended stay as they are.</p>
          <Progress done={done} of={picked.size} />
        </Confirm>
      )}
      {asking === 'delete' && (
        <Confirm title={`Delete ${text}?`} action="Delete" isBusy={done !== null} onConfirm={() => each(deleteThem, 'deleted')} onClose={() => ask(null)}>
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
