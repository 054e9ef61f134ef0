// The style sheets one by one: graphiql/style.css would add every Monaco style again and 300 kB of fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';
import './workers.js';
import { createLocalStorage } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { fetcher } from './fetcher.js';
import { KeyField } from './key.jsx';
import { askNewest } from './newest.js';
import { Variables } from './variables.js';

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
