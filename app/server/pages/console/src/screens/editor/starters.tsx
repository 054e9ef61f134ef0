import { useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { ConsoleMeasurementListDocument } from '../../generated/operations';
import type { Draft } from './draft';
import { CELLS, MODELS, NO_CHOICES, pipelineOf, PIPELINES } from './templates';

const SHOWN = 50;

/** Templates of whole pipelines, for a draft without elements. */
export function Starters({
  measurement,
  projectId,
  onDraft,
}: {
  /** Id of the measurement that the user came from. */
  measurement: string | null;
  projectId: string;
  onDraft: (start: Partial<Draft>) => void;
}) {
  const { data, fetching } = useData(ConsoleMeasurementListDocument, { filter: { statuses: ['READY'] }, first: SHOWN });
  const known = data?.measurements.nodes ?? [];
  const [template, setTemplate] = useState(PIPELINES[0]!);
  const [picked, pick] = useState<string | null>(measurement);
  const [cell, setCell] = useState(NO_CHOICES.cell);
  const [model, setModel] = useState(NO_CHOICES.model);
  const used = picked ?? known[0]?.id ?? null;
  const source = known.find(({ id }) => id === used);
  // The measurement names the objective and the pipeline: a list from before its upload lacks it until the server answers.
  const isUnknown = template.usesData && source === undefined && fetching;
  const start = () => {
    const choices = { objective: source?.name ?? NO_CHOICES.objective, measurement: used, cell, model };
    onDraft({ ...pipelineOf(template, choices), projectId: source?.projectId ?? projectId });
  };
  return (
    <section class="card stack" aria-label="Templates">
      <h2>Start from a template</h2>
      <div class="starters" role="radiogroup" aria-label="Template">
        {PIPELINES.map(each => (
          <label key={each.id} class="starter">
            <input type="radio" name="template" checked={each === template} onChange={() => setTemplate(each)} />
            <span>
              <b>{each.label}</b>
              <span class="dim small">{each.purpose}</span>
            </span>
          </label>
        ))}
      </div>
      {template.usesData && (
        <div class="about">
          <label class="field grow">
            Measurement
            <select value={used ?? ''} onChange={event => pick(event.currentTarget.value || null)}>
              {known.map(({ id, name, rows }) => (
                <option key={id} value={id}>
                  {name} ({rows} rows)
                </option>
              ))}
              {used !== null && source === undefined && <option value={used}>db:{used}</option>}
              {used === null && <option value="">none yet</option>}
            </select>
          </label>
          <label class="field">
            Cell
            <select value={cell} onChange={event => setCell(event.currentTarget.value)}>
              {CELLS.map(each => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
          <label class="field">
            Model
            <select value={model} onChange={event => setModel(event.currentTarget.value)}>
              {MODELS.map(each => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
        </div>
      )}
      <div class="row">
        <button type="button" class="primary" disabled={isUnknown} onClick={start}>
          Use this template
        </button>
        {template.usesData && used === null && (
          <span class="dim">
            It takes a measurement: <a href="#/data">upload a file</a> first, or insert one later.
          </span>
        )}
      </div>
    </section>
  );
}
