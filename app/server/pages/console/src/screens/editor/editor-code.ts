/**
 * JSON editor with marks of problems, on CodeMirror. It lives in a shadow root: there CodeMirror adopts constructed
 * style sheets, which the page's policy allows, instead of style elements, which it does not.
 */

import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import {
  bracketMatching,
  codeFolding,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { search, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parse, type Fault, type Place } from './json';

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: tags.number, color: 'var(--busy)' },
  { tag: [tags.bool, tags.null], color: 'var(--series-4)' },
]);

// The marks of the lint package are images in data: addresses, which the page's policy does not allow.
const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'transparent', fontSize: '13px', maxHeight: '60vh' },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', minHeight: '3em' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    backgroundColor: 'var(--soft)',
  },
  '.cm-gutters': { color: 'var(--dim)', backgroundColor: 'transparent', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'light-dark(#00000008, #ffffff0a)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--soft)', color: 'inherit' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--bad) 1px',
    textUnderlineOffset: '3px',
  },
  '.cm-lintPoint-error::after': { borderBottomColor: 'var(--bad)' },
  '.cm-lint-marker-error': {
    content: 'normal',
    width: '0.7em',
    height: '0.7em',
    marginTop: '0.35em',
    borderRadius: '50%',
    backgroundColor: 'var(--bad)',
  },
  '.cm-foldPlaceholder': { color: 'var(--dim)', backgroundColor: 'var(--hover)', border: 'none' },
  '.cm-tooltip, .cm-panels': { color: 'var(--text)', backgroundColor: 'var(--raised)', borderColor: 'var(--line)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-textfield': { color: 'inherit', backgroundColor: 'transparent', borderColor: 'var(--edge)' },
  '.cm-button': { color: 'inherit', backgroundImage: 'none', backgroundColor: 'var(--hover)', borderColor: 'var(--edge)' },
});

export interface Code {
  text(): string;
  /** Replace the whole text; it can be undone. */
  set(text: string): void;
  /** Put a reference in place of the string around the cursor; else of the data of the objectives; else of the selection. */
  refer(reference: string): void;
  mark(faults: readonly Fault[]): void;
  show(place: { from: number; to: number }): void;
  destroy(): void;
}

/** Put an editor into an element. `changed` is called with each new text. */
export function edit(parent: HTMLElement, text: string, label: string, isLocked: boolean, changed: (text: string) => void): Code {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        foldGutter(),
        codeFolding(),
        lintGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        search({ top: true }),
        json(),
        syntaxHighlighting(colours),
        theme,
        // Tab leaves the editor, so that the keyboard is not caught.
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap]),
        EditorState.readOnly.of(isLocked),
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
        EditorView.updateListener.of(update => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: value => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } }),
    refer(reference) {
      const text = view.state.doc.toString();
      const value = JSON.stringify(reference);
      const { main } = view.state.selection;
      const line = view.state.doc.lineAt(main.head);
      const around = main.empty ? stringAround(line.text, main.head - line.from) : null;
      const inside = around && { from: line.from + around.from, to: line.from + around.to };
      const places = inside ? [inside] : dataPlaces(text);
      const changes = (places.length > 0 ? places : [main]).map(({ from, to }) => ({ from, to, insert: value }));
      view.dispatch({ changes, scrollIntoView: true });
      view.focus();
    },
    mark(faults) {
      const length = view.state.doc.length;
      const diagnostics = faults.map((fault): Diagnostic => ({
        from: Math.min(fault.from, length),
        to: Math.min(fault.to, length),
        severity: 'error',
        message: fault.message,
      }));
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    show(place) {
      const at = Math.min(place.from, view.state.doc.length);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

/** Return the string of a line that holds a column, if one does. */
function stringAround(line: string, column: number): { from: number; to: number } | null {
  for (const found of line.matchAll(/"(?:[^"\\]|\\.)*"/g)) {
    const [from, to] = [found.index, found.index + found[0].length];
    if (from < column && column < to) return { from, to };
  }
  return null;
}

/** The texts that stand for the data of objectives. */
function dataPlaces(text: string): Place[] {
  const objectives = parse(text).root?.members?.find(({ key }) => key === 'objectives')?.value.members ?? [];
  return objectives.flatMap(({ value }) => {
    const data = value.members?.find(({ key }) => key === 'data')?.value;
    const inner = data?.members?.find(({ key }) => key === 'data')?.value ?? data;
    return inner?.type === 'string' ? [{ from: inner.from, to: inner.to }] : [];
  });
}
