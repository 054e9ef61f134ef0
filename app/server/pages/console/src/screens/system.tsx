import type { ComponentChildren } from 'preact';
import { useData } from '../api/hooks';
import { useViewer } from '../api/viewer';
import { count } from '../components/numbers';
import { Failure } from '../components/problems';
import { Table } from '../components/table';
import { lasted, Time, useNow } from '../components/time';
import { Title } from '../components/title';
import { ConsoleSystemDocument } from '../generated/operations';

const AGAIN = 5_000;
/** Milliseconds without a heartbeat after which a worker is probably gone. */
const SILENT = 60_000;

/** The server: version, workers, queue, limits, and the way to its other pages. */
export default function System() {
  const { data, error, fetching, refetch } = useData(ConsoleSystemDocument, {}, { every: AGAIN });
  const isAdmin = useViewer()?.isAdmin ?? false;
  const now = useNow(true, 1_000);
  const system = data?.system;
  return (
    <div class="stack">
      <div class="head">
        <Title>System</Title>
      </div>
      <Failure error={error} retry={refetch} />
      {!system && fetching && <p class="loading">Loading…</p>}
      {system && (
        <>
          <section class="card" aria-label="About">
            <dl class="named">
              <Fact label="Version">{system.version}</Fact>
              <Fact label="Executor">
                <code>{system.executor}</code>
              </Fact>
              <Fact label="Waiting pipelines">{count(system.queued)}</Fact>
              <Fact label="Running pipelines">{count(system.running)}</Fact>
            </dl>
          </section>
          <section class="card flush">
            <h2 class="inside">Workers</h2>
            <Table
              label="Workers"
              rows={system.workers}
              id={({ id }) => id}
              empty="No worker: started pipelines wait. `voltgraph worker` runs one; a server runs one by itself unless VOLTGRAPH_WORKERS is 0."
              columns={[
                { label: 'Worker', cell: ({ id }) => <code>{id}</code> },
                { label: 'Runs', cell: ({ running }) => count(running), isNumber: true },
                { label: 'Heartbeat', cell: ({ heartbeatAt }) => <Time at={heartbeatAt} />, isNumber: true },
                { label: 'Ago', cell: ({ heartbeatAt }) => <Ago milliseconds={now - Date.parse(heartbeatAt)} />, isNumber: true },
              ]}
            />
          </section>
          <section class="card stack">
            <h2>API keys</h2>
            <p>
              {system.hasKeys
                ? 'Each request needs a key.'
                : 'There is no key: everybody who reaches this server may do everything. The first key ends that.'}
            </p>
            {isAdmin ? (
              <p>
                <a href="#/keys">Create, list and revoke keys</a>, and see what they changed.
              </p>
            ) : (
              <p>
                Keys are created, listed and revoked on the server’s command line, by <code>voltgraph keys</code>, or here by holders of
                an administrator’s key: <code>voltgraph keys create --admin</code>.
              </p>
            )}
          </section>
          <section class="card stack">
            <h2>Limits</h2>
            <dl class="named dense">
              {Object.entries((system.limits ?? {}) as Record<string, number | null>).map(([name, value]) => (
                <Fact key={name} label={words(name)}>
                  {value === null ? 'none' : count(value)}
                </Fact>
              ))}
            </dl>
          </section>
          <section class="card stack">
            <h2>Elsewhere on this server</h2>
            <ul class="places">
              <li>
                <a href="graphql">GraphiQL: operations by hand</a>
              </li>
              <li>
                <a href="docs">Places of the server and the REST API</a>
              </li>
              <li>
                <a href="metrics">Metrics for Prometheus</a>
              </li>
            </ul>
          </section>
        </>
      )}
    </div>
  );
}

/** The words of a name such as `pageSize`: `Page size`. */
const words = (name: string) => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`).replace(/^./, first => first.toUpperCase());

function Ago({ milliseconds }: { milliseconds: number }) {
  const text = lasted(Math.max(milliseconds, 0) / 1000, true);
  return milliseconds > SILENT ? <span class="status failed">{text}: probably gone</span> : <span class="dim">{text}</span>;
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
