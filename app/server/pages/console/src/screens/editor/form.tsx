import type { AnyVariables, OperationResult } from '@urql/core';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { client } from '../../api/client';
import { explained } from '../../api/hooks';
import { keepProject } from '../../api/project';
import { useViewer } from '../../api/viewer';
import { notify } from '../../components/notices';
import { Title } from '../../components/title';
import { ConsoleCreatePipelineDocument, ConsoleStartDocument, ConsoleUpdatePipelineDocument } from '../../generated/operations';
import { go } from '../../router';
import { About } from './about';
import { check } from './check';
import { faultsOf, written, type Draft, type Fault } from './draft';
import { Elements } from './elements';
import { FaultList } from './faults';
import { fromField, placed, stillTrue, type Found } from './problems';
import { inputOf, mutate, RawTexts } from './requests';
import { Starters } from './starters';
import { useUnsaved } from './unsaved';

const CHECK_AFTER = 900;
/** Length of all configurations up to which the server checks them while they are typed. */
const CHECKED_WHILE_TYPED = 300_000;

type Busy = 'check' | 'save' | 'start' | null;

/** The form of the editor. */
export function Form({
  initial,
  id,
  isPending,
  measurement,
}: {
  initial: Draft;
  id: string | undefined;
  isPending: boolean;
  measurement: string | null;
}) {
  const [draft, setDraft] = useState(initial);
  const [found, setFound] = useState<Found[]>([]);
  const [checked, setChecked] = useState<string | null>(null);
  const [isUnchecked, setUnchecked] = useState(false);
  const [busy, setBusy] = useState<Busy>(null);
  const isSaving = busy === 'save' || busy === 'start';
  useFocusKept(busy !== null);
  const [saved, setSaved] = useState(() => written(initial));
  const [shown, show] = useState<{ fault: Fault; time: number } | null>(null);
  const readOnly = useViewer()?.readOnly ?? null;
  const content = useMemo(() => written(draft), [draft]);
  const isDirty = content !== saved;
  const leave = useUnsaved(isDirty);
  const local = useMemo(() => faultsOf(draft), [content]);
  const faults = useMemo(() => [...local, ...placed(draft, stillTrue(found, local))], [local, found]);
  const newest = useRef(content);
  newest.current = content;
  const key = useIdempotencyKey(content);

  const runCheck = async (isAsked: boolean) => {
    if (isAsked) setBusy('check');
    setUnchecked(false);
    const answer = await check(draft);
    if (isAsked) setBusy(null);
    if (newest.current !== content) {
      if (isAsked) setUnchecked(true); // otherwise a later check is of the newer text
      return;
    }
    setFound(answer.found);
    setChecked(answer.isKnown ? content : null);
    if (isAsked && answer.found.length === 0 && answer.isKnown) notify('No problems found.');
  };
  useEffect(() => {
    if (local.length > 0 || content.length > CHECKED_WHILE_TYPED || !isPending || !isDirty) return;
    const timer = setTimeout(() => void runCheck(false), CHECK_AFTER);
    return () => clearTimeout(timer);
  }, [content]);

  /** Keep the draft, and return its id; undefined if the server found problems. */
  const keep = async (): Promise<string | undefined> => {
    const texts = new RawTexts();
    const { projectId, ...rest } = { projectId: draft.projectId, ...inputOf(draft, texts) };
    if (id === undefined) {
      const input = { projectId, ...rest, idempotencyKey: key };
      const result = await mutate(ConsoleCreatePipelineDocument, { input }, texts);
      return accepted(result, result.data?.createPipeline);
    }
    const input = isPending ? rest : { name: rest.name, description: rest.description, labels: rest.labels };
    const result = await mutate(ConsoleUpdatePipelineDocument, { id, input }, texts);
    return accepted(result, result.data?.updatePipeline);
  };
  const accepted = <D, V extends AnyVariables>({ error }: OperationResult<D, V>, payload: Payload | undefined) => {
    if (error) setFound([{ message: explained(error), path: null }]);
    else setFound((payload?.userErrors ?? []).map(({ message, field }) => fromField(draft, message, field)));
    return payload?.pipeline?.id;
  };
  const save = async (isStarted: boolean) => {
    setBusy(isStarted ? 'start' : 'save');
    const stored = await keep();
    if (stored === undefined) return setBusy(null);
    keepProject(draft.projectId);
    setSaved(content);
    if (isStarted) {
      const { data, error } = await client.value.mutation(ConsoleStartDocument, { id: stored }).toPromise();
      const why = error ? explained(error) : data?.startPipeline.userErrors.map(({ message }) => message).join(' ');
      if (why) notify(`The pipeline was saved, but did not start: ${why}`);
    } else notify('Saved.');
    leave();
    go(`/pipeline/${stored}`);
  };

  const canSave = busy === null && readOnly === null && local.length === 0;
  return (
    <div class="stack editor">
      <div class="head">
        <Title name={draft.name || 'New pipeline'}>{id === undefined ? 'New pipeline' : 'Edit pipeline'}</Title>
        {isDirty && <span class="chip">not saved</span>}
        <div class="actions">
          {isPending && (
            <button type="button" disabled={busy !== null || local.length > 0} onClick={() => void runCheck(true)}>
              {busy === 'check' ? 'Checking…' : 'Check'}
            </button>
          )}
          <button type="button" disabled={!canSave} title={readOnly ?? undefined} onClick={() => void save(false)}>
            {busy === 'save' ? 'Saving…' : 'Save'}
          </button>
          {isPending && (
            <button type="button" class="primary" disabled={!canSave} title={readOnly ?? undefined} onClick={() => void save(true)}>
              {busy === 'start' ? 'Starting…' : 'Save and start'}
            </button>
          )}
        </div>
      </div>
      {readOnly !== null && <p class="box warn">{readOnly} You can check a pipeline, but not save it.</p>}
      {!isPending && (
        <p class="box warn">
          This pipeline has started: its name, description and labels can change, its elements cannot. <a href={`#/new?from=${id}`}>Edit a copy</a>
        </p>
      )}
      {id === undefined && draft.elements.length === 0 && (
        <Starters measurement={measurement} onDraft={start => setDraft(old => ({ ...old, ...start }))} projectId={draft.projectId} />
      )}
      <div inert={isSaving}>
        <About draft={draft} isNew={id === undefined} onChange={change => setDraft(old => ({ ...old, ...change }))} />
      </div>
      <FaultList
        draft={draft}
        faults={draft.elements.length === 0 ? faults.filter(({ field }) => field !== 'elements') : faults}
        isChecked={checked === content}
        isUnchecked={isUnchecked && checked !== content}
        onShow={fault => show({ fault, time: Date.now() })}
      />
      <div inert={isSaving}>
        <Elements
          elements={draft.elements}
          faults={faults}
          shown={shown}
          isLocked={!isPending}
          projectId={draft.projectId}
          measurement={measurement}
          onChange={change => setDraft(old => ({ ...old, elements: change(old.elements) }))}
        />
      </div>
    </div>
  );
}

interface Payload {
  pipeline?: { id: string } | null | undefined;
  userErrors: ReadonlyArray<{ message: string; field?: readonly string[] | null | undefined }>;
}

/** Keep the focus through a time in which the focused button is disabled, unless something else has it afterwards. */
function useFocusKept(isBusy: boolean): void {
  const focused = useRef<HTMLElement | null>(null);
  if (isBusy) focused.current ??= document.activeElement as HTMLElement | null;
  useEffect(() => {
    if (isBusy) return;
    if (document.activeElement?.contains(focused.current)) focused.current?.focus(); // it fell back to what is around it
    focused.current = null;
  }, [isBusy]);
}

/** A key that stays while the content does: a save that is repeated after a lost answer makes no second pipeline. */
function useIdempotencyKey(content: string): string {
  const kept = useRef({ content: '', key: '' });
  if (kept.current.content !== content) kept.current = { content, key: crypto.getRandomValues(new Uint32Array(4)).join('-') };
  return kept.current.key;
}
