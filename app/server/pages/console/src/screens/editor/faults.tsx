import type { Draft, Fault } from './draft';

const SHOWN = 50;

/** The problems of a draft, each with a button to its place. */
export function FaultList({
  draft,
  faults,
  isChecked,
  isUnchecked,
  onShow,
}: {
  draft: Draft;
  faults: readonly Fault[];
  /** Whether the server found no problems in this very draft. */
  isChecked: boolean;
  /** Whether the text changed during the check that was asked for last. */
  isUnchecked: boolean;
  onShow: (fault: Fault) => void;
}) {
  const names = new Map(draft.elements.map(({ key, name }) => [key, name || 'element without a name']));
  return (
    <div role="status" class="problems">
      {faults.length === 0 && isChecked && <p class="checked">✓ No problems found.</p>}
      {isUnchecked && <p class="box warn">The text changed while it was checked. Press “Check” to check it as it is now.</p>}
      {faults.length > 0 && (
        <div class="box bad">
          <h2>{faults.length === 1 ? 'One problem' : `${faults.length} problems`}</h2>
          <ul>
            {faults.slice(0, SHOWN).map((fault, index) => (
              <li key={index}>
                {fault.element !== undefined ? (
                  <button type="button" class="link" onClick={() => onShow(fault)}>
                    {names.get(fault.element)}
                    {fault.place && `, line ${lineOf(draft, fault)}`}
                  </button>
                ) : (
                  fault.field !== undefined && <code>{fault.field}</code>
                )}{' '}
                {fault.message}
              </li>
            ))}
          </ul>
          {faults.length > SHOWN && <p>… and {faults.length - SHOWN} more.</p>}
        </div>
      )}
    </div>
  );
}

function lineOf(draft: Draft, { element, place }: Fault): number {
  const text = draft.elements.find(({ key }) => key === element)?.text ?? '';
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < (place?.from ?? 0); at = text.indexOf('\n', at + 1)) line++;
  return line;
}
