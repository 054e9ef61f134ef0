import { useState } from 'preact/hooks';
import { explained } from '../../api/hooks';
import { client } from '../../api/client';
import { Dialog } from '../../components/dialog';
import { download } from '../../components/download';
import { ConsoleParameterSetDocument } from '../../generated/operations';

const FORMATS = [
  ['PYBAMM', 'PyBaMM', 'JSON for ParameterValues.from_json'],
  ['BPX', 'BPX', 'the Battery Parameter eXchange standard'],
  ['CSV', 'CSV', 'values with units, standard errors and intervals'],
] as const;

type Format = (typeof FORMATS)[number][0];

interface Omitted {
  name: string;
  reason: string;
}

/** The parameter values of a pipeline as a file, and what the file does not hold. */
export function Export({ id, onClose }: { id: string; onClose: () => void }) {
  const [busy, setBusy] = useState<Format | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [omitted, setOmitted] = useState<readonly Omitted[]>([]);
  const save = async (format: Format) => {
    setBusy(format);
    setError(null);
    setOmitted([]);
    const result = await client.value
      .query(ConsoleParameterSetDocument, { id, format }, { requestPolicy: 'network-only' })
      .toPromise();
    setBusy(null);
    if (result.error) return setError(explained(result.error));
    const set = result.data?.pipeline?.parameterSet;
    if (!set) return setError('No element has completed yet: there are no values.');
    download(set.fileName, set.mediaType, set.content);
    setOmitted(set.omitted);
  };
  return (
    <Dialog title="Download the parameter values" onClose={onClose}>
      {FORMATS.map(([format, name, text]) => (
        <div key={format} class="choice">
          <button type="button" disabled={busy !== null} onClick={() => save(format)}>
            {busy === format ? 'Writing…' : name}
          </button>{' '}
          <span class="dim small">{text}</span>
        </div>
      ))}
      {error && (
        <p class="box bad" role="alert">
          {error}
        </p>
      )}
      {omitted.length > 0 && (
        <div class="box" role="status">
          <p>The file does not hold:</p>
          <ul>
            {omitted.map(({ name, reason }) => (
              <li key={name}>
                <code>{name}</code> {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
