import type { CombinedError } from '@urql/core';
import { isLost, isUnauthenticated } from '../api/client';
import { explained, type Problem } from '../api/hooks';

/** Reasons why an action did not work, each with its place. */
export function Problems({ problems }: { problems: readonly Problem[] }) {
  if (problems.length === 0) return null;
  return (
    <div class="box bad" role="alert">
      <ul>
        {problems.map(({ message, field }) => (
          <li key={`${field.join('.')} ${message}`}>
            {field.length > 0 && <code>{field.join(' › ')}</code>} {message}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** An error of a query, with a button that tries again. The frame of the page tells of a lost server and asks for a key. */
export function Failure({ error, retry }: { error: CombinedError | undefined; retry?: () => void }) {
  if (error === undefined || isLost(error) || isUnauthenticated(error)) return null;
  return (
    <div class="box bad" role="alert">
      <p>{explained(error)}</p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
