import { useState } from 'preact/hooks';
import { useData, useLive } from '../api/hooks';
import { useViewer } from '../api/viewer';
import { Failure } from '../components/problems';
import { Tabs } from '../components/tabs';
import { Title } from '../components/title';
import { ConsolePipelineDocument, ConsolePipelineLiveDocument } from '../generated/operations';
import type { ScreenProps } from '../router';
import { Configuration } from './pipeline/configuration';
import { Header } from './pipeline/header';
import { Line } from './pipeline/line';
import { Log } from './pipeline/log';
import { Plots } from './pipeline/plots';
import { hasPlots, type Element, type Run } from './pipeline/types';
import { Values } from './pipeline/values';
import './pipeline/pipeline.css';

/** One pipeline: its elements as a line, and of the chosen one plots, values, configuration and log. */
export default function Pipeline({ params: { id = '' } }: ScreenProps) {
  const viewer = useViewer();
  const { data, error, fetching, refetch } = useData(ConsolePipelineDocument, { id });
  const run = data?.pipeline;
  useLive(ConsolePipelineLiveDocument, { id }, () => {}, {
    pause: !run || run.isTerminal,
    isDone: newest => !!newest?.pipelineUpdated.isTerminal,
  });
  if (!run) {
    return (
      <>
        {error && <Title>Pipeline</Title>}
        <Failure error={error} retry={refetch} />
        {!fetching && !error && <Missing id={id} />}
        {fetching && <p class="loading">Loading…</p>}
      </>
    );
  }
  return (
    <>
      <Header run={run} readOnly={viewer?.readOnly ?? null} />
      <Failure error={error} retry={refetch} />
      <Elements run={run} />
    </>
  );
}

function Missing({ id }: { id: string }) {
  return (
    <>
      <Title>No such pipeline</Title>
      <p>
        <code>{id}</code> does not exist, was deleted, or belongs to a project that your key may not see.{' '}
        <a href="#/">To the pipelines</a>
      </p>
    </>
  );
}

const TABS = ['Plots', 'Values', 'Configuration', 'Log'] as const;

type Tab = (typeof TABS)[number];

function Elements({ run }: { run: Run }) {
  const [chosen, choose] = useState<string | null>(null);
  const [tab, setTab] = useState<Tab | null>(null);
  const element = run.elements.find(each => each.name === chosen) ?? foremost(run.elements);
  if (element === undefined) return <p class="dim">It has no elements.</p>;
  const isPlotted = hasPlots(element);
  const shown = tab === null || (tab === 'Plots' && !isPlotted) ? first(element) : tab;
  return (
    <>
      <Line elements={run.elements} chosen={element} onChoose={({ name }) => choose(name)} />
      <section class="card" aria-label={element.name}>
        <Tabs
          label={`Parts of ${element.name}`}
          tabs={TABS.filter(each => each !== 'Plots' || isPlotted)}
          chosen={shown}
          onChoose={setTab}
        />
        <div class="panel" key={`${element.id} ${shown}`}>
          {shown === 'Plots' && <Plots element={element} />}
          {shown === 'Values' && <Values element={element} />}
          {shown === 'Configuration' && <Configuration element={element} />}
          {shown === 'Log' && <Log element={element} />}
        </div>
      </section>
    </>
  );
}

/** The element that says most: the failed, the running, the last fit, or the last that has ended. */
function foremost(elements: readonly Element[]): Element | undefined {
  return (
    elements.find(({ status }) => status === 'FAILED' || status === 'RUNNING') ??
    elements.findLast(({ status, elementType }) => status === 'COMPLETED' && elementType === 'DATA_FIT') ??
    elements.findLast(({ status }) => status === 'COMPLETED') ??
    elements[0]
  );
}

function first(element: Element): Tab {
  if (element.status === 'FAILED') return 'Log';
  if (element.status === 'PENDING' || element.status === 'SKIPPED') return 'Configuration';
  return hasPlots(element) ? 'Plots' : 'Values';
}
