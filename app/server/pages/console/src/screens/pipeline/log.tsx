import { useEffect, useRef, useState } from 'preact/hooks';
import { useLive } from '../../api/hooks';
import { ConsoleLogDocument, type ConsoleLogSubscription } from '../../generated/operations';
import type { Element } from './types';

type LogLine = ConsoleLogSubscription['jobLog'][number];

const MOST_LINES = 5_000;

/** The log of an element's job, as it is written. */
export function Log({ element: { job } }: { element: Element }) {
  if (!job) return <p class="dim">Its job has not been submitted.</p>;
  return <Lines id={job.id} isOver={job.status !== 'PENDING' && job.status !== 'RUNNING'} />;
}

function Lines({ id, isOver }: { id: string; isOver: boolean }) {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [isOnlyWorker, setOnlyWorker] = useState(false);
  const last = useRef(0);
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLive(
    ConsoleLogDocument,
    { id, after: 0 },
    ({ jobLog }) => {
      const added = jobLog.filter(({ number }) => number > last.current);
      if (added.length === 0) return;
      last.current = added.at(-1)?.number ?? last.current;
      setLines(old => [...old, ...added].slice(-MOST_LINES));
    },
    { isDone: () => isOver },
  );
  useEffect(() => {
    if (isAtEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const scrolled = () => {
    const at = box.current;
    if (at) isAtEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 40;
  };
  const shown = isOnlyWorker ? lines.filter(({ stream }) => stream === 'WORKER' || stream === 'WARNING') : lines;
  return (
    <>
      <label class="check small">
        <input type="checkbox" checked={isOnlyWorker} onChange={event => setOnlyWorker(event.currentTarget.checked)} />
        Only warnings and the worker
      </label>
      <div class="log" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-live="off" aria-label="Log of the job">
        {shown.length === 0 && <p class="dim">{isOver ? 'No lines.' : 'No lines yet.'}</p>}
        {shown.map(({ number, attempt, at, stream, text }) => (
          <div key={number} class={stream.toLowerCase()}>
            <time dateTime={at} title={`${at}, attempt ${attempt}, ${stream.toLowerCase()}`}>
              {new Date(at).toLocaleTimeString()}
            </time>
            <span>{text}</span>
          </div>
        ))}
      </div>
      {lines.length === MOST_LINES && <p class="dim small">The last {MOST_LINES} lines.</p>}
    </>
  );
}
