import { useEffect, useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { Failure } from '../../components/problems';
import { Status } from '../../components/status';
import { Duration, Time } from '../../components/time';
import { Title } from '../../components/title';
import { ConsoleCompareDocument, ConsolePipelineListDocument } from '../../generated/operations';
import { go, type ScreenProps } from '../../router';
import { Configurations } from './differences';
import { useEach } from './each';
import { Key, type Run } from './key';
import { Histories, Objectives } from './overlays';
import { Parameters } from './parameters';
import { Measures } from './measures';
import './compare.css';

const MOST = 8;
const RECENT = 30;
const AGAIN = 2_000;

/** Up to eight runs side by side; differences are to the first. */
export default function Compare({ params }: ScreenProps) {
  const asked = [...new Set((params['ids'] ?? '').split(',').filter(Boolean))];
  const ids = asked.slice(0, MOST);
  const { answers, refetch } = useEach(ConsoleCompareDocument, ids, {});
  const runs = answers.map(({ data }) => data?.pipeline);
  const known = runs.filter(run => run !== null && run !== undefined);
  const isRunning = known.some(run => run.status === 'RUNNING');
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(refetch, AGAIN);
    return () => clearInterval(timer);
  }, [isRunning]);
  const isRead = answers.every(({ data, error }) => data !== undefined || error !== undefined);
  const missing = ids.filter((_, index) => answers[index]!.data !== undefined && !runs[index]);
  return (
    <div class="stack compare">
      <div class="head">
        <Title name="Compare">Compare runs</Title>
        <Add ids={ids} />
      </div>
      {asked.length > MOST && (
        <p class="box warn">
          The first {MOST} of {asked.length} runs are compared.
        </p>
      )}
      {missing.map(id => (
        <p key={id} class="box warn">
          <code>{id}</code> does not exist, or your key may not see it.
        </p>
      ))}
      <Failure error={answers.find(({ error }) => error)?.error} retry={refetch} />
      {ids.length === 0 && <p>Pick runs in the list of pipelines, or add one here.</p>}
      {!isRead && known.length === 0 && <p class="loading">Loading…</p>}
      {known.length > 0 && (
        <>
          <Runs runs={known} ids={ids} />
          <Parameters runs={known} />
          <Measures runs={known} />
          <Histories runs={known} />
          <Objectives runs={known} />
          <Configurations runs={known} />
        </>
      )}
    </div>
  );
}

const place = (ids: readonly string[]) => `/compare/${ids.join(',')}`;

function Runs({ runs, ids }: { runs: readonly Run[]; ids: readonly string[] }) {
  return (
    <ol class="runs" aria-label="Runs">
      {runs.map(({ id, name, status, startedAt, finishedAt }, index) => (
        <li key={id} class="card">
          <Key index={index} />
          <a href={`#/pipeline/${id}`}>{name}</a>
          <span class="small">
            <Status value={status} />
          </span>
          <span class="dim small">
            <Time at={startedAt} /> · took <Duration from={startedAt} to={finishedAt} />
          </span>
          {runs.length > 1 && (
            <button
              type="button"
              class="quiet"
              aria-label={`Leave out ${name}`}
              onClick={() => go(place(ids.filter(each => each !== id)), { replace: true })}
            >
              Leave out
            </button>
          )}
        </li>
      ))}
    </ol>
  );
}

function Add({ ids }: { ids: readonly string[] }) {
  const [isOpen, open] = useState(false);
  const { data } = useData(ConsolePipelineListDocument, { first: RECENT }, { pause: !isOpen });
  const others = (data?.pipelines.nodes ?? []).filter(({ id }) => !ids.includes(id));
  if (ids.length >= MOST) return null;
  return (
    <label class="actions">
      <span class="dim">Add a run</span>
      <select
        value=""
        onFocus={() => open(true)}
        onPointerDown={() => open(true)}
        onChange={event => go(place([...ids, event.currentTarget.value]), { replace: true })}
      >
        <option value="">{isOpen && data === undefined ? 'Loading…' : 'Pick a recent one…'}</option>
        {others.map(({ id, name, status }) => (
          <option key={id} value={id}>
            {name} ({status.toLowerCase()})
          </option>
        ))}
      </select>
    </label>
  );
}
