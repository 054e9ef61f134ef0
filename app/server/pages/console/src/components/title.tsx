import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

/** The heading of a screen, which is the title of the tab too: `name`, or the children if they are a text. */
export function Title({ children, name }: { children: ComponentChildren; name?: string | undefined }) {
  const text = name ?? (typeof children === 'string' ? children : '');
  useEffect(() => {
    document.title = text ? `${text} · Voltgraph` : 'Voltgraph';
  }, [text]);
  return <h1>{children}</h1>;
}
