import { useData } from '../../api/hooks';
import { Json } from '../../components/json';
import { Failure } from '../../components/problems';
import { ConsoleElementConfigDocument } from '../../generated/operations';
import type { Element } from './types';

/** The configuration of an element, as it was sent. */
export function Configuration({ element: { id, name } }: { element: Element }) {
  const { data, error, refetch } = useData(ConsoleElementConfigDocument, { id });
  const node = data?.node;
  if (error) return <Failure error={error} retry={refetch} />;
  if (!node || !('jobConfig' in node)) return <p class="loading">Loading…</p>;
  return <Json value={node.jobConfig} fileName={`${name}.json`} />;
}
