import { useState } from 'preact/hooks';
import { useData } from '../../api/hooks';
import { useViewer } from '../../api/viewer';
import { Copied } from '../../components/copy';
import { Title } from '../../components/title';
import { ConsoleKeysDocument, ConsoleSystemDocument } from '../../generated/operations';
import { Audit } from './audit';
import { Create, type Created } from './create';
import { List } from './list';
import './keys.css';

/** API keys and what they changed, for administrators. */
export default function Keys() {
  const viewer = useViewer();
  return (
    <div class="stack">
      <div class="head">
        <Title>Keys</Title>
      </div>
      {viewer === undefined && <p class="loading">Loading…</p>}
      {viewer?.isAdmin === false && <Refused />}
      {viewer?.isAdmin && <Managed />}
    </div>
  );
}

function Managed() {
  const { data, error, fetching, refetch } = useData(ConsoleKeysDocument, {});
  const [created, show] = useState<Created | null>(null);
  return (
    <>
      {created && <Secret created={created} onDone={() => show(null)} />}
      <List keys={data?.apiKeys ?? []} error={error} isBusy={fetching} refetch={refetch} />
      <Create onCreated={made => (show(made), refetch())} />
      <Audit />
    </>
  );
}

/** The secret of a new key. It is kept nowhere: neither by the server nor by this page. */
function Secret({ created, onDone }: { created: Created; onDone: () => void }) {
  return (
    <section class="box warn stack" aria-label="New key">
      <p role="status">
        <b>
          The key <code>{created.prefix}</code> was created. Copy it now: it is shown only this once.
        </b>{' '}
        Who has it may do what it allows, until it is revoked.
      </p>
      <Copied label="Secret" text={created.secret} />
      <div>
        <button type="button" onClick={onDone}>
          I have copied it
        </button>
      </div>
    </section>
  );
}

/** Why there is nothing to see, and what to do. */
function Refused() {
  const { data } = useData(ConsoleSystemDocument, {});
  const hasKeys = data?.system.hasKeys ?? true;
  return (
    <section class="card stack">
      <p>
        {hasKeys
          ? 'Your key may not manage keys. Only an administrator’s key lists, creates and revokes keys, and reads what keys changed.'
          : 'This server has no keys: everybody who reaches it may do everything. The first key ends that. An administrator’s key then creates and revokes the others on this page.'}
      </p>
      <p>
        On the server’s command line, <code>voltgraph keys create --admin</code> makes an administrator’s key.
      </p>
    </section>
  );
}
