import { useRef, useState } from 'preact/hooks';
import { Chips } from '../../components/chips';
import { ProjectInput } from '../../components/project-input';
import { exported, imported, type Draft } from './draft';

/** Bytes of a file that can be edited here; the server's limit of a body is below. */
const MAX_FILE = 32_000_000;

/** Name, project, description and labels of a pipeline, and files to and from the editor. */
export function About({ draft, isNew, onChange }: { draft: Draft; isNew: boolean; onChange: (change: Partial<Draft>) => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const read = async (chosen: File) => {
    try {
      if (chosen.size > MAX_FILE) throw new Error(`${chosen.name} has more than ${MAX_FILE / 1e6} MB.`);
      const next = imported(await chosen.text(), chosen.name, draft.projectId);
      if (draft.elements.length > 0 && !confirm(`Replace the elements by those of ${chosen.name}?`)) return;
      setProblem(null);
      onChange(isNew ? next : { ...next, projectId: draft.projectId });
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <section class="card stack" aria-label="Pipeline">
      <div class="about">
        <label class="field grow">
          Name
          <input
            value={draft.name}
            maxLength={255}
            placeholder="A name for people"
            onInput={event => onChange({ name: event.currentTarget.value })}
          />
        </label>
        <label class="field">
          Project
          <ProjectInput
            value={draft.projectId}
            disabled={!isNew}
            title={isNew ? undefined : 'A pipeline stays in its project.'}
            onChange={projectId => onChange({ projectId })}
          />
        </label>
      </div>
      <label class="field">
        Description
        <textarea
          rows={2}
          maxLength={10_000}
          value={draft.description}
          onInput={event => onChange({ description: event.currentTarget.value })}
        />
      </label>
      <Chips
        label="Labels"
        values={draft.labels}
        maxLength={50}
        placeholder="Enter adds a label"
        onChange={labels => onChange({ labels })}
      />
      <div class="row">
        <label class="button">
          Import a file…
          <input
            ref={file}
            type="file"
            class="unseen"
            accept=".json,application/json"
            onChange={event => {
              const chosen = event.currentTarget.files?.[0];
              if (chosen) void read(chosen);
              event.currentTarget.value = '';
            }}
          />
        </label>
        <button type="button" disabled={draft.elements.length === 0} onClick={() => download(draft)}>
          Export
        </button>
        <span class="dim small">
          The files that <code>voltgraph run</code> takes.
        </span>
      </div>
      {problem !== null && (
        <p class="box bad" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

function download(draft: Draft): void {
  const url = URL.createObjectURL(new Blob([exported(draft)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${(draft.name || 'pipeline').replace(/[^\w.-]+/g, '-').slice(0, 80)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
