import { ConsoleViewerDocument } from '../generated/operations';
import { useData } from './hooks';

export interface Viewer {
  email: string | null | undefined;
  userId: string | null | undefined;
  organizationId: string;
  /** Why the caller may not change anything; null if it may. */
  readOnly: string | null;
  /** Whether the caller may make and revoke keys. */
  isAdmin: boolean;
}

export const READ_ONLY = 'Your API key may only read.';

/** The caller; undefined until it is known. */
export function useViewer(): Viewer | undefined {
  const { data } = useData(ConsoleViewerDocument, {}, { isShared: true });
  if (data === undefined) return undefined;
  return { ...data.viewer, readOnly: data.viewer.canWrite ? null : READ_ONLY };
}
