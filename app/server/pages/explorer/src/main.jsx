// The style sheets one by one: graphiql/style.css would add every Monaco style again and 300 kB of fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';
import { createLocalStorage } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker';
import JsonWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker';
import GraphQLWorker from 'monaco-graphql/esm/graphql.worker.js?worker';
import { createRoot } from 'react-dom/client';
import { askNewest } from './ask-newest.js';
import { fetcher } from './fetcher.js';
import { KeyField } from './key-field.jsx';
import { Variables } from './variables.js';

const workers = { json: JsonWorker, graphql: GraphQLWorker };

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new (workers[label] ?? EditorWorker)(),
};

const tabs = JSON.parse(document.getElementById('voltgraph-tabs').textContent);
const storage = createLocalStorage({ namespace: 'voltgraph' });

await askNewest();
createRoot(document.getElementById('root')).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    defaultTabs={tabs.length ? tabs : undefined}
    defaultEditorToolsVisibility="variables"
    inputValueDeprecation
  >
    <GraphiQL.Logo>
      <KeyField />
      <span>
        Volt<em>graph</em>
      </span>
    </GraphiQL.Logo>
    <Variables />
  </GraphiQL>,
);
