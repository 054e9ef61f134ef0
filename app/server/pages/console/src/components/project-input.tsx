import { useId } from 'preact/hooks';
import { useData } from '../api/hooks';
import { ConsoleProjectsDocument } from '../generated/operations';

/** An input for a project, with the projects that changed last as suggestions. */
export function ProjectInput({
  value,
  onChange,
  disabled = false,
  title,
}: {
  value: string;
  onChange: (value: string) => void;
  disabled?: boolean;
  title?: string | undefined;
}) {
  const { data } = useData(ConsoleProjectsDocument, {}, { pause: disabled });
  const list = useId();
  return (
    <>
      <input
        value={value}
        maxLength={255}
        required
        list={list}
        disabled={disabled}
        title={title}
        onInput={event => onChange(event.currentTarget.value)}
      />
      <datalist id={list}>
        {data?.projects.map(({ id }) => (
          <option key={id} value={id} />
        ))}
      </datalist>
    </>
  );
}
