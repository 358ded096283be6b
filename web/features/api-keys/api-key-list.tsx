'use client';

import { Button, Group, Modal, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { useMutation } from 'urql';
import { formatDateTime } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { ApiKeyListRowFragment } from '../../src/generated/graphql.ts';
import { problemText } from '../shell/problem.tsx';
import { StatusPill } from '../shell/status-pill.tsx';
import classes from './api-key-list.module.css';

const ROW = graphql(`
  fragment ApiKeyListRow on ApiKey {
    id
    name
    kind
    preview
    createdAt
    revokedAt
  }
`);

const REVOKE = graphql(`
  mutation RevokeApiKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) {
      apiKey {
        id
        revokedAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export function ApiKeyList({ apiKeys: masked }: { apiKeys: readonly FragmentType<typeof ROW>[] }) {
  const apiKeys = readFragment(ROW, masked);
  const [revoking, setRevoking] = useState<ApiKeyListRowFragment | null>(null);
  return (
    <>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="API keys">
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Key</th>
              <th scope="col">Created</th>
              <th scope="col">State</th>
              <th scope="col">
                <span className={classes.hidden}>Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {apiKeys.map((apiKey) => (
              <tr key={apiKey.id} data-testid="api-key-row" data-revoked={Boolean(apiKey.revokedAt)}>
                <td>
                  <span className={classes.name}>{apiKey.name}</span>
                  <span className={classes.kind}>{apiKey.kind === 'SECRET' ? 'Secret' : 'Publishable'}</span>
                </td>
                <td>
                  <code className="mono">{apiKey.preview}…</code>
                </td>
                <td className="numeric">{formatDateTime(apiKey.createdAt)}</td>
                <td>
                  {apiKey.revokedAt ? (
                    <StatusPill tone="neutral" label="Revoked" title={formatDateTime(apiKey.revokedAt)} />
                  ) : (
                    <StatusPill tone="good" label="Works" />
                  )}
                </td>
                <td className={classes.actions}>
                  {apiKey.revokedAt ? null : (
                    <Button
                      variant="subtle"
                      color="var(--k-bad)"
                      size="compact-sm"
                      onClick={() => setRevoking(apiKey)}
                      aria-label={`Revoke ${apiKey.name}`}
                      data-testid="revoke-api-key"
                    >
                      Revoke
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} />
    </>
  );
}

function RevokeDialog({ apiKey, onClose }: { apiKey: ApiKeyListRowFragment | null; onClose: () => void }) {
  const [{ fetching }, revoke] = useMutation(REVOKE);
  const confirm = async (apiKeyId: string): Promise<void> => {
    const { data, error } = await revoke({ input: { apiKeyId } });
    const problem = error ? problemText(error) : data?.revokeApiKey.userErrors[0]?.message;
    if (problem === undefined)
      notifications.show({ message: 'The key is revoked. It stops working within 10 seconds.' });
    else notifications.show({ color: 'red', title: 'The key was not revoked', message: problem });
    onClose();
  };
  return (
    <Modal opened={apiKey !== null} onClose={onClose} title="Revoke this key?">
      <Text size="md" c="dimmed">
        Programs that use {apiKey?.name} are refused from then on. This cannot be undone.
      </Text>
      <Group justify="flex-end" gap="xs" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button
          color="red.8"
          loading={fetching}
          onClick={() => apiKey !== null && void confirm(apiKey.id)}
          data-testid="revoke-api-key-confirm"
        >
          Revoke key
        </Button>
      </Group>
    </Modal>
  );
}
