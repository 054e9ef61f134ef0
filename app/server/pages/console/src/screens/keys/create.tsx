import { useState } from 'preact/hooks';
import { useAction } from '../../api/hooks';
import { Chips } from '../../components/chips';
import { Problems } from '../../components/problems';
import { ConsoleCreateKeyDocument } from '../../generated/operations';

export interface Created {
  prefix: string;
  secret: string;
}

type Rights = 'write' | 'read' | 'admin';

/** A form that makes a key. */
export function Create({ onCreated }: { onCreated: (created: Created) => void }) {
  const [email, setEmail] = useState('');
  const [projects, setProjects] = useState<string[]>([]);
  const [rights, setRights] = useState<Rights>('write');
  const { run, isBusy, problems } = useAction(ConsoleCreateKeyDocument);
  const submit = async (event: Event) => {
    event.preventDefault();
    const input = {
      email: email.trim() || null,
      projectIds: projects.length > 0 ? projects : null,
      readOnly: rights === 'read',
      isAdmin: rights === 'admin',
    };
    const made = (await run({ input }))?.createApiKey;
    if (!made?.apiKey || !made.secret) return;
    setEmail('');
    setProjects([]);
    setRights('write');
    onCreated({ prefix: made.apiKey.prefix, secret: made.secret });
    scrollTo({ top: 0 });
  };
  return (
    <section class="card stack" aria-label="Create a key">
      <h2>Create a key</h2>
      <form class="stack" onSubmit={event => void submit(event)}>
        <div class="create">
          <label class="field">
            Email of its holder
            <input
              value={email}
              maxLength={255}
              autocomplete="off"
              placeholder="Optional"
              onInput={event => setEmail(event.currentTarget.value)}
            />
          </label>
          <label class="field">
            Rights
            <select value={rights} onChange={event => setRights(event.currentTarget.value as Rights)}>
              <option value="write">read and write</option>
              <option value="read">read only</option>
              <option value="admin">administrator: also manages keys</option>
            </select>
          </label>
          <Chips
            label="Only these projects"
            values={projects}
            maxLength={255}
            placeholder={projects.length > 0 ? 'Enter adds another one' : 'All that your key may use'}
            onChange={setProjects}
          />
        </div>
        <Problems problems={problems} />
        <div>
          <button type="submit" class="primary" disabled={isBusy}>
            Create key
          </button>
        </div>
      </form>
    </section>
  );
}
