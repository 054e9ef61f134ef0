import { useEffect, useRef } from 'preact/hooks';
import { guard } from '../../router';

const QUESTION = 'Your changes are not saved. Leave the editor and lose them?';

/** Ask before a link, the buttons of the browser or a closed tab lose changes. Returns a function that ends it at once. */
export function useUnsaved(isDirty: boolean): () => void {
  const end = useRef(() => {});
  useEffect(() => {
    if (!isDirty) return;
    const close = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', close);
    const release = guard(() => confirm(QUESTION));
    end.current = () => {
      removeEventListener('beforeunload', close);
      release();
    };
    return () => end.current();
  }, [isDirty]);
  return () => end.current();
}
