import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';
import { newestId } from './fetcher.js';

/** Stands for the id of a pipeline in the examples; the server writes the same one. */
const PLACEHOLDER = '00000000-0000-7000-8000-000000000000';

/**
 * Shows a tab's variables when the tab is opened, with the newest pipeline's id in the place of the placeholder.
 * GraphiQL itself leaves the variables of the first default tab out of the editor.
 */
export function Variables() {
  const { tab, editor } = useGraphiQL(state => ({
    tab: state.tabs[state.activeTabIndex],
    editor: state.variableEditor,
  }));
  useEffect(() => {
    const text = (tab.variables ?? '').replaceAll(PLACEHOLDER, newestId() ?? PLACEHOLDER);
    if (editor && text !== editor.getValue()) editor.setValue(text);
  }, [tab.id, editor]);
  return null;
}
