import type { CombinedError } from '@urql/core';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/hooks';
import { key as used } from '../../api/key';
import { useStore } from '../../api/store';
import { Confirm } from '../../components/dialog';
import { notify } from '../../components/notices';
import { Failure, Problems } from '../../components/problems';
import { Table } from '../../components/table';
import { Time } from '../../components/time';
import { ConsoleRevokeKeyDocument, type ConsoleKeysQuery } from '../../generated/operations';

type ApiKey = ConsoleKeysQuery['apiKeys'][number];

/** All keys, those that work first, each group with the newest first. */
export function List({
  keys,
  error,
  isBusy,
  refetch,
}: {
  keys: readonly ApiKey[];
  error: CombinedError | undefined;
  isBusy: boolean;
  refetch: () => void;
}) {
  const [asked, ask] = useState<ApiKey | null>(null);
  const revoke = useAction(ConsoleRevokeKeyDocument);
  const own = useStore(used);
  const isOwn = ({ prefix }: ApiKey) => own?.startsWith(prefix) ?? false;
  const newest = [...keys].reverse();
  const rows = [...newest.filter(({ revokedAt }) => !revokedAt), ...newest.filter(({ revokedAt }) => revokedAt)];
  const end = async ({ prefix }: ApiKey) => {
    const done = await revoke.run({ prefix });
    ask(null);
    if (done !== undefined) notify(`The key ${prefix} was revoked.`);
    refetch();
  };
  return (
    <>
      <Failure error={error} retry={refetch} />
      <Problems problems={revoke.problems} />
      <section class="card flush">
        <Table
          label="API keys"
          isBusy={isBusy}
          rows={rows}
          id={({ prefix }) => prefix}
          empty="No key yet."
          columns={[
            {
              label: 'Key',
              cell: row => (
                <>
                  <code>{row.prefix}</code> {isOwn(row) && <span class="chip">yours</span>}
                </>
              ),
            },
            { label: 'Holder', cell: row => row.email ?? row.userId ?? '–', kind: 'holder' },
            { label: 'Projects', cell: ({ projectIds }) => projectIds?.join(', ') ?? 'all', kind: 'holder' },
            { label: 'Rights', cell: rightsOf },
            { label: 'Created', cell: row => <Time at={row.createdAt} />, isNumber: true },
            { label: 'Last used', cell: row => <Time at={row.lastUsedAt} />, isNumber: true },
            {
              label: 'Revoked',
              cell: row =>
                row.revokedAt ? (
                  <span class="status">
                    <Time at={row.revokedAt} />
                    {row.revokedBy && ` by ${row.revokedBy}`}
                  </span>
                ) : (
                  <button type="button" class="danger small" aria-label={`Revoke ${row.prefix}`} onClick={() => (revoke.clear(), ask(row))}>
                    Revoke
                  </button>
                ),
            },
          ]}
        />
      </section>
      {asked && (
        <Confirm
          title={`Revoke ${asked.prefix}?`}
          action="Revoke"
          isBusy={revoke.isBusy}
          onConfirm={() => void end(asked)}
          onClose={() => ask(null)}
        >
          <p>
            The server refuses it within two seconds. This cannot be undone.
            {isOwn(asked) && ' It is the key that you use now: the console will ask for another one.'}
          </p>
        </Confirm>
      )}
    </>
  );
}

function rightsOf({ isAdmin, readOnly }: ApiKey): string {
  if (readOnly) return 'read only';
  return isAdmin ? 'administrator' : 'read and write';
}
