import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useErrorBoundary, useState } from 'preact/hooks';
import { online } from './api/connection';
import { forgetKey, key } from './api/key';
import { useStore } from './api/store';
import { useViewer } from './api/viewer';
import { KeyForm } from './components/key-form';
import { Notices } from './components/notices';
import { Title } from './components/title';
import { match, useRoute, type ScreenProps } from './router';
import { NAVIGATION, SCREENS, type Screen } from './screens';

/** The frame of all screens: navigation, state of the connection, key form, and the screen of the path. */
export function App() {
  const { path, query } = useRoute();
  const found = find(path);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        Skip to content
      </a>
      <Header within={found?.screen.within} />
      <Offline />
      <main id="main" tabIndex={-1}>
        <Guarded key={path}>
          {found ? <Loaded screen={found.screen} params={found.params} query={query} /> : <Nowhere path={path} />}
        </Guarded>
      </main>
      <Notices />
      <KeyForm />
    </>
  );
}

function find(path: string): { screen: Screen; params: Record<string, string> } | null {
  for (const screen of SCREENS) {
    const params = match(screen.pattern, path);
    if (params !== null) return { screen, params };
  }
  return null;
}

function toMain(event: Event): void {
  event.preventDefault(); // the hash is the place in the console
  document.getElementById('main')?.focus();
}

function Header({ within }: { within: string | undefined }) {
  const viewer = useViewer();
  const hasKey = useStore(key) !== null;
  return (
    <header class="top">
      <a class="brand" href="#/">
        <Bolt />
        Voltgraph
      </a>
      <nav aria-label="Main">
        {NAVIGATION.filter(({ admin }) => !admin || viewer?.isAdmin).map(({ path, label }) => (
          <a key={path} href={`#${path}`} aria-current={path === within ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <div class="who">
        {viewer?.readOnly && (
          <span class="chip" title={viewer.readOnly}>
            read only
          </span>
        )}
        {viewer?.email && <span class="dim">{viewer.email}</span>}
        {hasKey && (
          <button type="button" class="quiet" onClick={forgetKey}>
            Forget key
          </button>
        )}
        <a href="graphql">GraphiQL</a>
      </div>
    </header>
  );
}

function Bolt() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#d60590" />
      <path d="M18.5 4 7 18.5h7.5L13 28l12-15h-8z" fill="#fff" />
    </svg>
  );
}

/** A line while the server does not answer. It goes when the server is back; the page reads everything again. */
function Offline() {
  const isOnline = useStore(online);
  return (
    <div role="status" class={isOnline ? 'offline' : 'offline shown'}>
      {!isOnline && 'The server does not answer. This page shows its newest state, and goes on when the server is back.'}
    </div>
  );
}

const loaded = new Map<Screen, ComponentType<ScreenProps>>();

function Loaded({ screen, ...props }: ScreenProps & { screen: Screen }) {
  const [, draw] = useState(0);
  const [failed, fail] = useState(false);
  useEffect(() => {
    if (loaded.has(screen)) return;
    screen.load().then(
      ({ default: component }) => (loaded.set(screen, component), draw(count => count + 1)),
      () => fail(true),
    );
  }, [screen]);
  const Shown = loaded.get(screen);
  if (Shown !== undefined) return <Shown {...props} />;
  return failed ? <Reload /> : <p class="loading">Loading…</p>;
}

/** A part of the page that cannot be had: the server is away, or an upgrade replaced the files of the page. */
function Reload() {
  return (
    <div class="box bad" role="alert">
      <p>This part of the page could not be loaded.</p>
      <button type="button" onClick={() => location.reload()}>
        Load the page again
      </button>
    </div>
  );
}

/** A fault of a screen, without the loss of the frame. */
function Guarded({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary(error => console.error(error));
  if (error === undefined) return children;
  return (
    <div class="box bad" role="alert">
      <p>This screen has a fault: {String(error instanceof Error ? error.message : error)}</p>
      <button type="button" onClick={reset}>
        Try again
      </button>
    </div>
  );
}

function Nowhere({ path }: { path: string }) {
  return (
    <>
      <Title>Nothing here</Title>
      <p>
        <code>{path}</code> is no place in the console. <a href="#/">To the pipelines</a>
      </p>
    </>
  );
}
