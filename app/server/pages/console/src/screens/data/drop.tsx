import { useState } from 'preact/hooks';
import { keepProject } from '../../api/project';
import { useStore } from '../../api/store';
import { useViewer } from '../../api/viewer';
import { bytes, count } from '../../components/numbers';
import { ProjectInput } from '../../components/project-input';
import { dismiss, retry, upload, uploads, type Upload } from './uploads';

/** A place to drop files, or to choose them, and the progress of their uploads. */
export function Drop({ project, onProject }: { project: string; onProject: (project: string) => void }) {
  const readOnly = useViewer()?.readOnly ?? null;
  const [isOver, setOver] = useState(false);
  const all = useStore(uploads);
  const take = (files: FileList | null | undefined) => {
    if (readOnly !== null || !files) return;
    keepProject(project.trim());
    for (const file of files) upload(file, project.trim());
  };
  return (
    <section class="card stack" aria-label="Upload">
      <div
        class={isOver ? 'drop over' : 'drop'}
        onDragOver={event => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={event => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files);
        }}
      >
        <p>Drop files of measurements here: CSV, Parquet, or a cycler’s.</p>
        <div class="row">
          <label class={readOnly === null ? 'button primary' : 'button disabled'} title={readOnly ?? undefined}>
            Choose files…
            <input
              type="file"
              multiple
              class="unseen"
              disabled={readOnly !== null}
              onChange={event => {
                take(event.currentTarget.files);
                event.currentTarget.value = '';
              }}
            />
          </label>
          <label class="row">
            <span class="dim">into project</span>
            <ProjectInput value={project} onChange={onProject} />
          </label>
        </div>
        {readOnly !== null && <p>{readOnly}</p>}
      </div>
      {all.length > 0 && (
        <ul class="uploads" aria-label="Uploads">
          {all.map(each => (
            <Row key={each.id} upload={each} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ upload: { id, name, bytes: size, sent, stage, problem, canRetry, measurement, rows } }: { upload: Upload }) {
  const isMoving = stage === 'sending' || stage === 'waiting';
  return (
    <li class={stage}>
      <span class="file">{measurement && stage !== 'sending' ? <a href={`#/data/${measurement}`}>{name}</a> : name}</span>
      {stage === 'sending' && <progress value={sent} max={size} aria-label={`Sent of ${name}`} />}
      {stage === 'reading' && <progress aria-label={`Reading of ${name}`} />}
      <span class="said" role={stage === 'failed' ? 'alert' : 'status'}>
        {stage === 'waiting' && 'waits'}
        {stage === 'sending' && `${bytes(sent)} of ${bytes(size)}`}
        {stage === 'reading' && (problem ?? 'is read')}
        {stage === 'ready' && `✓ ${count(rows ?? 0)} rows`}
        {stage === 'failed' && `✕ ${problem}`}
      </span>
      {stage === 'ready' && (
        <a class="button" href={`#/new?data=${measurement}`}>
          Fit parameters
        </a>
      )}
      {canRetry && (
        <button type="button" aria-label={`Try ${name} again`} onClick={() => retry(id)}>
          Try again
        </button>
      )}
      {stage !== 'reading' && (
        <button type="button" class="quiet" aria-label={`${isMoving ? 'Stop' : 'Forget'} ${name}`} onClick={() => dismiss(id)}>
          {isMoving ? 'Stop' : 'Forget'}
        </button>
      )}
    </li>
  );
}
