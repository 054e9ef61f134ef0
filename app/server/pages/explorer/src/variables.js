import { useGraphiQL } from '@graphiql/react';
import { stripComments } from 'jsonc-parser';
import { useEffect } from 'react';
import { withNewest } from './newest.js';
import { parseExact } from './numbers.js';
import { mendVariableSchemas } from './variable-schemas.js';

let written = () => '';

/** The variables of an operation with their numbers as they stand in the editor; GraphiQL rounds the long ones. */
export function exactVariables(variables) {
  try {
    const text = stripComments(written());
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(variables) ? parseExact(text) : variables;
  } catch {
    return variables;
  }
}

/**
 * Shows a tab's variables when the tab is opened, with the newest ids in the place of their placeholders. GraphiQL
 * itself leaves the variables of the first default tab out of the editor.
 */
export function Variables() {
  const { tab, editor, schema } = useGraphiQL(state => ({
    tab: state.tabs[state.activeTabIndex],
    editor: state.variableEditor,
    schema: state.schema,
  }));
  useEffect(() => {
    if (editor) mendVariableSchemas(globalThis.__MONACO, schema);
  }, [editor, schema]);
  useEffect(() => {
    if (editor) written = () => editor.getValue();
    const text = withNewest(tab.variables ?? '');
    if (editor && text !== editor.getValue()) editor.setValue(text);
  }, [tab.id, editor]);
  return null;
}
