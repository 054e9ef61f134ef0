import { useEffect, useState } from 'preact/hooks';
import { useAction, useData } from '../../api/hooks';
import { Confirm } from '../../components/dialog';
import { notify } from '../../components/notices';
import { short } from '../../components/numbers';
import { Problems } from '../../components/problems';
import { Bar, Status } from '../../components/status';
import { Duration, Time } from '../../components/time';
import { Title } from '../../components/title';
import {
  ConsoleCancelDocument,
  ConsoleDeleteDocument,
  ConsoleDuplicateDocument,
  ConsoleQueuePositionDocument,
  ConsoleStartDocument,
} from '../../generated/operations';
import { go } from '../../router';
import { Export } from './export';
import { Rerun } from './rerun';
import type { Run } from './types';

const ANNOUNCED_EACH = 5_000;
const POSITION_EACH = 3_000;

/** The name, the state and the actions of a pipeline. */
export function Header({ run, readOnly }: { run: Run; readOnly: string | null }) {
  const { id, name, description, projectId, labels, status, createdAt, createdByEmail, startedAt, finishedAt, rerunOf, error } = run;
  return (
    <>
      <nav class="crumbs" aria-label="Place">
        <a href="#/">Pipelines</a>
      </nav>
      <div class="head">
        <Title name={name}>{name}</Title>
        <Status value={status} />
        <Actions run={run} readOnly={readOnly} />
      </div>
      <dl class="facts">
        <Fact label="Took">{startedAt ? <Duration from={startedAt} to={finishedAt} /> : 'not started'}</Fact>
        <Fact label="Created">
          <Time at={createdAt} />
        </Fact>
        {createdByEmail && <Fact label="By">{createdByEmail}</Fact>}
        {rerunOf && (
          <Fact label="Rerun of">
            <a href={`#/pipeline/${rerunOf.id}`}>{rerunOf.name}</a>
          </Fact>
        )}
        <Fact label="Project">{projectId}</Fact>
        {labels.length > 0 && <Fact label="Labels">{labels.join(', ')}</Fact>}
        <Fact label="Id">
          <code>{id}</code>
        </Fact>
      </dl>
      {description && <p class="description">{description}</p>}
      {status === 'RUNNING' && <Progress run={run} />}
      {error && <Failed run={run} />}
    </>
  );
}

/** Why a run failed: the problems of its configurations at their paths, or the error of an element. */
function Failed({ run: { error, errorCode, failure, elements } }: { run: Run }) {
  const failed = elements.find(each => each.status === 'FAILED');
  const problems = failure?.problems ?? [];
  return (
    <div class="box bad" role="alert">
      <b>{errorCode}</b>
      {failed && problems.length === 0 && (
        <>
          {' in '}
          <code>{failed.name}</code>
        </>
      )}
      {problems.length === 0 ? (
        <p>{error}</p>
      ) : (
        <ul>
          {problems.map(({ element, path, message }) => (
            <li key={`${element} ${path.join('.')} ${message}`}>
              <code>{[element, ...path].filter(Boolean).join(' › ')}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Fact({ label, children }: { label: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Progress({ run }: { run: Run }) {
  const { finished, total, current } = run.progress;
  const job = run.elements.find(({ id }) => id === current?.id)?.job;
  const waits = !run.elements.some(({ job }) => job?.startedAt);
  const at = job?.progress;
  const cost = at?.bestCost === null || at?.bestCost === undefined ? '' : `, lowest cost ${short(at.bestCost, 4)}`;
  const text = current ? `${current.name}${at?.iteration ? `: ${at.iteration} evaluations${cost}` : ''}` : 'between two elements';
  return (
    <div class="underway">
      <Bar value={finished} max={total} label={`${finished} of ${total} elements have ended`} />
      <span>
        {finished} of {total} elements
      </span>
      {waits ? <Waiting id={run.id} /> : <span class="dim">{text}</span>}
      <span class="unseen" role="status">
        <Announced text={waits ? 'Waits for a worker' : text} />
      </span>
    </div>
  );
}

/** The place in the queue. Subscriptions do not tell its changes. */
function Waiting({ id }: { id: string }) {
  const { data, refetch } = useData(ConsoleQueuePositionDocument, { id });
  useEffect(() => {
    const timer = setInterval(refetch, POSITION_EACH);
    return () => clearInterval(timer);
  }, [refetch]);
  const position = data?.pipeline?.queuePosition;
  return <span class="dim">{position ? `waits for a worker: number ${position} in the queue` : 'waits for a worker'}</span>;
}

/** A text that changes at most once in some seconds, so that a screen reader can say it. */
function Announced({ text }: { text: string }) {
  const [said, say] = useState(text);
  useEffect(() => {
    if (said === text) return;
    const timer = setTimeout(() => say(text), ANNOUNCED_EACH);
    return () => clearTimeout(timer);
  }, [said === text]);
  return <>{said}</>;
}

function Actions({ run, readOnly }: { run: Run; readOnly: string | null }) {
  const { id, name, status, isTerminal } = run;
  const [isRerun, setRerun] = useState(false);
  const [isExport, setExport] = useState(false);
  const start = useAction(ConsoleStartDocument);
  const cancel = useAction(ConsoleCancelDocument);
  const duplicate = useAction(ConsoleDuplicateDocument);
  const remove = useAction(ConsoleDeleteDocument);
  const [isAsking, ask] = useState(false);
  const copy = async () => {
    const made = (await duplicate.run({ id }))?.duplicatePipeline.pipeline;
    if (!made) return;
    notify(`Copied as “${made.name}”.`);
    go(`/pipeline/${made.id}`);
  };
  const erase = async () => {
    const done = await remove.run({ id });
    ask(false);
    if (done === undefined) return;
    notify(`“${name}” was deleted.`);
    go('/');
  };
  const hint = readOnly ?? undefined;
  const problems = [start, cancel, duplicate, remove].flatMap(each => each.problems);
  return (
    <>
      <div class="actions">
        {status === 'PENDING' && (
          <button type="button" class="primary" disabled={!!hint || start.isBusy} title={hint} onClick={() => start.run({ id })}>
            Start
          </button>
        )}
        {status === 'RUNNING' && (
          <button type="button" disabled={!!hint || cancel.isBusy} title={hint} onClick={() => cancel.run({ id })}>
            Cancel
          </button>
        )}
        {status === 'PENDING' && !hint && (
          <a class="button" href={`#/edit/${id}`}>
            Edit
          </a>
        )}
        {isTerminal && (
          <button type="button" disabled={!!hint} title={hint} onClick={() => setRerun(true)}>
            Rerun
          </button>
        )}
        {run.elements.some(each => each.status === 'COMPLETED') && (
          <button type="button" onClick={() => setExport(true)}>
            Download
          </button>
        )}
        {run.rerunOf && (
          <a class="button" href={`#/compare/${run.rerunOf.id},${id}`}>
            Compare
          </a>
        )}
        <button type="button" disabled={!!hint || duplicate.isBusy} title={hint} onClick={copy}>
          Duplicate
        </button>
        {status !== 'RUNNING' && (
          <button type="button" class="danger" disabled={!!hint} title={hint} onClick={() => ask(true)}>
            Delete
          </button>
        )}
      </div>
      {problems.length > 0 && (
        <div class="whole">
          <Problems problems={problems} />
        </div>
      )}
      {isExport && <Export id={id} onClose={() => setExport(false)} />}
      {isRerun && <Rerun run={run} onClose={() => setRerun(false)} />}
      {isAsking && (
        <Confirm title={`Delete “${name}”?`} action="Delete" isBusy={remove.isBusy} onConfirm={erase} onClose={() => ask(false)}>
          <p>It goes with its results. This cannot be undone.</p>
        </Confirm>
      )}
    </>
  );
}
