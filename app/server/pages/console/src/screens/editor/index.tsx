import { useEffect, useState } from 'preact/hooks';
import { explained } from '../../api/hooks';
import { Title } from '../../components/title';
import { ConsoleDraftDocument } from '../../generated/operations';
import { emptyDraft, newKey, type Draft } from './draft';
import { Form } from './form';
import { pretty } from './json';
import { defaultProject } from '../../api/project';
import type { ScreenProps } from '../../router';
import { configurationsIn, read } from './requests';
import './editor.css';

interface Loaded {
  draft: Draft;
  /** Whether its elements can change: only before it starts. */
  isPending: boolean;
}

/** The editor of a new pipeline (`/new`), of a copy (`/new?from=ID`), and of one that has not started (`/edit/ID`). */
export default function Editor({ params, query }: ScreenProps) {
  const id = params['id'];
  const source = id ?? query.get('from');
  const [loaded, set] = useState<Loaded | null>(source ? null : { draft: emptyDraft(defaultProject()), isPending: true });
  const [problem, fail] = useState<string | null>(null);
  const [attempt, again] = useState(0);
  useEffect(() => {
    if (!source) return;
    fail(null);
    load(source, id === undefined).then(set, (error: Error) => fail(error.message));
  }, [source, attempt]);
  if (problem !== null) {
    return (
      <div class="stack">
        <Title>Editor</Title>
        <div class="box bad" role="alert">
          <p>{problem}</p>
          <button type="button" onClick={() => again(attempt + 1)}>
            Try again
          </button>
        </div>
      </div>
    );
  }
  if (loaded === null) return <p class="loading">Loading…</p>;
  return <Form initial={loaded.draft} id={id} isPending={loaded.isPending} measurement={query.get('data')} />;
}

async function load(id: string, isCopy: boolean): Promise<Loaded> {
  const { result, text } = await read(ConsoleDraftDocument, { id });
  if (result.error) throw new Error(explained(result.error));
  const pipeline = result.data?.pipeline;
  if (!pipeline) throw new Error('This pipeline does not exist, or your key may not see it.');
  const texts = configurationsIn(text);
  return {
    isPending: isCopy || pipeline.status === 'PENDING',
    draft: {
      projectId: pipeline.projectId,
      name: isCopy ? `${pipeline.name} (copy)`.slice(0, 255) : pipeline.name,
      description: pipeline.description ?? '',
      labels: [...pipeline.labels],
      liveProgressUpdates: pipeline.options.liveProgressUpdates ?? null,
      elements: pipeline.elements.map(({ name, elementType }, index) => ({
        key: newKey(),
        name,
        type: elementType,
        text: pretty(texts[index] ?? '{}'),
      })),
    },
  };
}
